//! Models that are loaded, named, swapped and unloaded over gRPC and by a signal, and what is refused.

use std::sync::Arc;

use attune::api::grpc::v1::{self, recorded_interaction::Reading};
use attune::app::models::{Reload, build_models_over, reload};
use attune::config::{Config, Sources};
use attune::error::{Error, ErrorKind};
use tokio::sync::watch;
use tonic::Code;

use crate::model_root::{ID, Root, backends, write};
use crate::support::{TestServer, config, factory, request};

fn load(name: &str) -> v1::LoadModelRequest {
    v1::LoadModelRequest { name: name.into() }
}

fn alias(alias: &str, model: &str) -> v1::SetAliasRequest {
    v1::SetAliasRequest { alias: alias.into(), model: model.into() }
}

fn for_model(text: &str, model: &str) -> v1::AnalyzeTextRequest {
    v1::AnalyzeTextRequest { model: model.into(), ..request(text) }
}

async fn version(server: &TestServer, model: &str) -> Result<String, tonic::Status> {
    let answer = server.analysis().await.analyze_text(for_model("my parcel is late", model)).await?;
    Ok(answer.into_inner().assessment.unwrap().model.unwrap().version)
}

async fn listed(server: &TestServer) -> Vec<v1::Model> {
    server.models().await.list_models(v1::ListModelsRequest {}).await.unwrap().into_inner().models
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_answer_side_by_side_by_their_names_and_aliases() {
    let root = Root::with(&["1", "2"]);
    let server = root.serve_plainly(&[("models.load", "1")]).await;
    let mut client = server.models().await;
    let loaded = client.load_model(load("2")).await.unwrap().into_inner().model.unwrap();
    assert_eq!((loaded.id.as_str(), loaded.version.as_str(), loaded.name.as_str()), (ID, "2", "2"));
    let set = client.set_alias(alias("canary", "support@1")).await.unwrap().into_inner();
    assert_eq!((set.previous.as_str(), set.current.as_str()), ("", "support@1"));
    let first = listed(&server).await.iter().find(|model| model.is_default).unwrap().version.clone();
    for (model, expected) in [
        ("", first.as_str()),
        ("default", &first),
        ("attune-en-small", &first),
        ("support@1", "1"),
        ("canary", "1"),
        ("support", "2"),
    ] {
        assert_eq!(version(&server, model).await.unwrap(), expected, "{model}");
    }
    let models = listed(&server).await;
    let named: Vec<(&str, String)> =
        models.iter().map(|m| (m.version.as_str(), m.aliases.join(" "))).collect();
    let expected = [(first.as_str(), "default"), ("1", "canary"), ("2", "")];
    assert_eq!(named, expected.map(|(version, aliases)| (version, aliases.to_owned())));
    let status = version(&server, "support@3").await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains("support@1, support@2"), "{}", status.message());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_conversations_and_interactions_are_read_by_the_model_that_is_meant() {
    let root = Root::with(&["1", "2"]);
    let server = root.serve_plainly(&[("models.load", "1,2"), ("storage.url", "memory:")]).await;
    let items = vec![crate::support::item("a", "my parcel is late")];
    let batch = v1::BatchAnalyzeTextRequest { items, model: "support@1".into(), ..Default::default() };
    let batch = server.analysis().await.batch_analyze_text(batch).await.unwrap().into_inner();
    assert_eq!(crate::support::assessment(&batch.results[0]).model.as_ref().unwrap().version, "1");
    let talk = v1::AnalyzeConversationRequest {
        turns: vec![crate::support::customer("my parcel is late")],
        model: "support@2".into(),
        ..Default::default()
    };
    let talk = server.conversations().await.analyze_conversation(talk).await.unwrap().into_inner();
    assert_eq!(talk.turns[0].assessment.as_ref().unwrap().model.as_ref().unwrap().version, "2");
    // Interactions are always read by the default, whatever that is when they come.
    for default in ["support@1", "support@2"] {
        server.models().await.set_alias(alias("default", default)).await.unwrap();
        let interaction = v1::Interaction {
            customer: "c".into(),
            source: "desk".into(),
            external_id: default.into(),
            at_ms: 1_767_323_045_000,
            content: Some(v1::interaction::Content::Message(v1::MessageContent {
                text: "my parcel is late".into(),
            })),
            ..Default::default()
        };
        let request = v1::RecordInteractionRequest { interaction: Some(interaction) };
        let answer = server.customers().await.record_interaction(request).await.unwrap().into_inner();
        let Some(Reading::Assessment(read)) = answer.recorded.unwrap().reading else { panic!() };
        assert_eq!(format!("support@{}", read.model.unwrap().version), default);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_models_where_the_setting_does_not_say_so() {
    let root = Root::with(&["1"]);
    let server = root.serve_plainly(&[("models.load", "1"), ("models.allow_changes", "false")]).await;
    let mut client = server.models().await;
    let shadow = v1::SetShadowRequest { candidate: ID.into(), share: 1.0, ..Default::default() };
    for refused in [
        client.load_model(load("1")).await.map(drop),
        client.unload_model(v1::UnloadModelRequest { model: "support@1".into() }).await.map(drop),
        client.set_alias(alias("default", ID)).await.map(drop),
        client.set_shadow(shadow).await.map(drop),
        client.stop_shadow(v1::StopShadowRequest::default()).await.map(drop),
    ] {
        let status = refused.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
        assert!(status.message().contains("models.allow_changes = true"), "{}", status.message());
    }
    assert_eq!(version(&server, ID).await.unwrap(), "1");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_sound_model_is_refused_and_changes_nothing() {
    let root = Root::with(&["1", "damaged"]);
    std::fs::write(root.path().join("damaged/model.onnx"), "another graph").unwrap();
    let outside = tempfile::tempdir().unwrap();
    write(&outside.path().join("secret"), "9");
    std::os::unix::fs::symlink(outside.path().join("secret"), root.path().join("link")).unwrap();
    root.add("half", "8");
    std::fs::remove_file(root.path().join("half/model.onnx")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret/model.onnx"), root.path().join("half/model.onnx"))
        .unwrap();
    std::os::unix::fs::symlink(root.path().join("1"), root.path().join("inside")).unwrap();
    let native = std::path::Path::new("tests/fixtures/rust_bert/bert").canonicalize().unwrap();
    std::fs::create_dir(root.path().join("native")).unwrap();
    for file in ["model.toml", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(native.join(file), root.path().join("native").join(file)).unwrap();
    }
    std::os::unix::fs::symlink(native.join("config.json"), root.path().join("native/config.json")).unwrap();
    let server = root.serve_plainly(&[]).await;
    let mut client = server.models().await;
    let before = listed(&server).await;
    for (name, code, part) in [
        ("damaged", Code::FailedPrecondition, "model.onnx is not the file"),
        ("link", Code::InvalidArgument, "leads out of models.directory"),
        ("half", Code::InvalidArgument, "leads out of models.directory"),
        ("native", Code::InvalidArgument, "native/config.json is a link that leads out of models.directory"),
        ("../1", Code::InvalidArgument, "plain name"),
        ("none", Code::NotFound, "none in models.directory"),
    ] {
        let status = client.load_model(load(name)).await.unwrap_err();
        assert_eq!(status.code(), code, "{name}: {}", status.message());
        assert!(status.message().contains(part), "{name}: {}", status.message());
        assert_eq!(listed(&server).await, before, "{name}");
    }
    client.load_model(load("inside")).await.unwrap();
    let again = client.load_model(load("1")).await.unwrap_err();
    assert_eq!(again.code(), Code::AlreadyExists);
    let pointed =
        client.unload_model(v1::UnloadModelRequest { model: "attune-en-small".into() }).await.unwrap_err();
    assert_eq!(pointed.code(), Code::NotFound);
    let left = client.unload_model(v1::UnloadModelRequest { model: "support@1".into() }).await.unwrap();
    assert_eq!(left.into_inner().models, before);
    server.stop().await;
}

fn from_file(root: &Root, models: &str) -> Result<Config, Error> {
    let text = format!("[models]\ndirectory = \"{}\"\n{models}", root.path().display());
    let flags = [
        ("batching.batch_tokens", "256"),
        ("server.grpc_address", "127.0.0.1:0"),
        ("server.http_address", "127.0.0.1:0"),
        ("server.lame_duck_ms", "0"),
    ];
    let flags = flags.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    Ok(Config::load(&Sources { file: Some(("attune.toml".into(), text)), flags, ..Sources::default() })?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_read_again_is_in_force_or_nothing_changes() {
    let root = Root::with(&["1", "2"]);
    let start = from_file(&root, "load = [\"1\"]\naliases = { default = \"support@1\" }").unwrap();
    let models = {
        let start = start.clone();
        let build = move || build_models_over(&start, backends(|_| factory()));
        tokio::task::spawn_blocking(build).await.unwrap().unwrap()
    };
    let again = async |text: &'static str| {
        let config = from_file(&root, text).map_err(|e| e.told());
        let read = move || config.clone().map_err(|told| Error::new(ErrorKind::InvalidInput, told));
        reload(&start.models, &models, Arc::new(read)).await
    };
    let default = || models.default_model().manifest().version.clone();
    again("load = [\"1\"]\naliases = { default = \"support@1\" }").await.unwrap();
    assert_eq!(default(), "1");
    for (wrong, part) in [
        ("load = [\"2\"", "attune.toml"),
        ("lode = [\"2\"]", "did you mean `models.load`"),
        ("load = [\"2\", \"3\"]", "3 in models.directory"),
        ("load = [\"2\"]\naliases = { default = \"support@1\" }", "no such model is loaded"),
        ("load = [\"2\"]\nmaximum = 9", "restart"),
        ("load = [\"2\"]\nallow_changes = true", "restart"),
    ] {
        let told = again(wrong).await.unwrap_err().told();
        assert!(told.contains(part), "{told}");
        assert_eq!((default(), models.catalogue().entries().len()), ("1".to_owned(), 2), "{wrong}");
    }
    again("load = [\"2\"]\naliases = { default = \"support@2\", old = \"attune-en-small\" }").await.unwrap();
    assert_eq!((default(), models.catalogue().entries().len()), ("2".to_owned(), 2));
    again("").await.unwrap();
    assert_eq!(models.catalogue().entries().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_has_the_service_read_its_configuration_again() {
    let root = Root::with(&["1", "2"]);
    let text =
        Arc::new(std::sync::Mutex::new("load = [\"1\"]\naliases = { default = \"support\" }".to_owned()));
    let start = from_file(&root, &text.lock().unwrap()).unwrap();
    let (signal, when) = watch::channel(0);
    let read = {
        let (text, directory) = (Arc::clone(&text), root.path());
        move || {
            let file = format!("[models]\ndirectory = \"{}\"\n{}", directory.display(), text.lock().unwrap());
            Ok(Config::load(&Sources { file: Some(("attune.toml".into(), file)), ..Sources::default() })?)
        }
    };
    let reload = Some(Reload::new(when, Arc::new(read)));
    let server = TestServer::start_over(start, backends(|_| factory()), (None, reload)).await;
    assert_eq!(version(&server, "").await.unwrap(), "1");
    *text.lock().unwrap() = "load = [\"2\"]\naliases = { default = \"support@2\" }".into();
    signal.send(1).unwrap();
    while version(&server, "").await.unwrap() != "2" {}
    assert_eq!(version(&server, "support@1").await.unwrap_err().code(), Code::NotFound);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_directory_of_models_there_is_nothing_to_load() {
    let server = TestServer::start_over(
        config(&[("models.allow_changes", "true")]),
        backends(|_| factory()),
        (None, None),
    )
    .await;
    let status = server.models().await.load_model(load("x")).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("models.directory"), "{}", status.message());
    server.stop().await;
}
