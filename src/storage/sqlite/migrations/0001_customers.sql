-- What attune keeps of customers. Times are milliseconds since 1970. Interactions, assessments and signals are only ever
-- added, purged and erased; `latest` is what a warehouse or a reverse-ETL tool reads.

CREATE TABLE customers (
    tenant     text             NOT NULL,
    customer   text             NOT NULL,
    account    text            NOT NULL DEFAULT '{}',
    profile    text,
    memory     text,
    level      real,
    churn      real NOT NULL DEFAULT 0,
    stage      text,
    active     text             NOT NULL DEFAULT '',
    updated_ms integer           NOT NULL,
    PRIMARY KEY (tenant, customer)
);
CREATE INDEX customers_by_churn ON customers (tenant, churn DESC, customer);

CREATE TABLE interactions (
    id          text   PRIMARY KEY,
    tenant      text   NOT NULL,
    customer    text   NOT NULL,
    source      text   NOT NULL,
    external_id text   NOT NULL,
    kind        text   NOT NULL,
    channel     text   NOT NULL,
    at_ms       integer NOT NULL,
    received_ms integer NOT NULL,
    text        text,
    text_hash   text,
    observation text   NOT NULL
);
CREATE INDEX interactions_of_customer ON interactions (tenant, customer, at_ms DESC, id DESC);
CREATE INDEX interactions_by_time ON interactions (at_ms);

CREATE TABLE assessments (
    interaction text   NOT NULL,
    model       text   NOT NULL,
    policy      text   NOT NULL,
    tenant      text   NOT NULL,
    customer    text   NOT NULL,
    status      text   NOT NULL,
    language    text,
    score       real,
    label       text,
    emotion     text,
    body        text  NOT NULL,
    scored_ms   integer NOT NULL,
    PRIMARY KEY (interaction, model, policy)
);

CREATE TABLE conversations (
    interaction text             PRIMARY KEY,
    tenant      text             NOT NULL,
    customer    text             NOT NULL,
    turns       integer          NOT NULL,
    tier        text             NOT NULL,
    risk        real NOT NULL,
    recovered   integer          NOT NULL
);

CREATE TABLE alerts (
    interaction text    NOT NULL,
    id          text    NOT NULL,
    tenant      text    NOT NULL,
    customer    text    NOT NULL,
    tier        text    NOT NULL,
    change      text    NOT NULL,
    turn        integer NOT NULL,
    PRIMARY KEY (interaction, id)
);

CREATE TABLE signals (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    id          text   NOT NULL UNIQUE,
    tenant      text   NOT NULL,
    customer    text   NOT NULL,
    kind        text   NOT NULL,
    at_ms       integer NOT NULL,
    body        text  NOT NULL
);
CREATE INDEX signals_of_tenant ON signals (tenant, sequence);
CREATE INDEX signals_by_time ON signals (at_ms);
CREATE INDEX signals_of_customer ON signals (tenant, customer);

-- state: 0 due, 1 delivered, 2 given up.
CREATE TABLE outbox (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    id         text     NOT NULL,
    sink       text     NOT NULL,
    tenant     text     NOT NULL,
    customer   text     NOT NULL,
    kind       text     NOT NULL,
    at_ms      integer   NOT NULL,
    body       text     NOT NULL,
    state      integer NOT NULL DEFAULT 0,
    due_ms     integer   NOT NULL DEFAULT 0,
    attempts   integer  NOT NULL DEFAULT 0,
    error      text,
    settled_ms integer,
    UNIQUE (sink, id)
);
CREATE INDEX outbox_due ON outbox (sink, sequence) WHERE state = 0;
CREATE INDEX outbox_lines ON outbox (sink, tenant, customer, sequence) WHERE state = 0;
CREATE INDEX outbox_dead ON outbox (sequence) WHERE state = 2;
CREATE INDEX outbox_settled ON outbox (settled_ms) WHERE state <> 0;
CREATE INDEX outbox_of_customer ON outbox (tenant, customer);

CREATE TABLE audit (
    sequence integer PRIMARY KEY,
    at_ms    integer NOT NULL,
    actor    text   NOT NULL,
    action   text   NOT NULL,
    subject  text   NOT NULL,
    detail   text   NOT NULL,
    previous text   NOT NULL,
    hash     text   NOT NULL
);

CREATE TABLE erasures (
    tenant text   NOT NULL,
    mark   text   NOT NULL,
    at_ms  integer NOT NULL,
    PRIMARY KEY (tenant, mark)
);

-- One row per interaction: what the newest model and policy have read in it, with the customer as of now.
CREATE VIEW latest AS
SELECT i.tenant,
       i.customer,
       i.id                              AS interaction_id,
       i.source                          AS source,
       i.external_id                     AS source_id,
       i.kind,
       i.channel,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.at_ms / 1000.0, 'unixepoch') AS occurred_at,
       a.score                           AS sentiment_score,
       a.label                           AS sentiment_label,
       a.emotion                         AS emotion_top,
       c.risk                            AS escalation_risk,
       c.tier                            AS escalation_tier,
       a.language,
       a.status,
       a.model                           AS model_version,
       a.policy                          AS policy_version,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.scored_ms / 1000.0, 'unixepoch') AS scored_at,
       i.text_hash                       AS input_hash,
       p.level                           AS customer_level,
       p.churn                           AS customer_churn_risk,
       p.stage                           AS customer_stage,
       a.body                            AS assessment
FROM interactions i
JOIN assessments a ON a.rowid = (
    SELECT n.rowid FROM assessments n WHERE n.interaction = i.id
    ORDER BY n.scored_ms DESC, n.model DESC, n.policy DESC LIMIT 1)
LEFT JOIN conversations c ON c.interaction = i.id
LEFT JOIN customers p ON p.tenant = i.tenant AND p.customer = i.customer;
