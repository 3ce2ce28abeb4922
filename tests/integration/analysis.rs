//! Answers to good requests, and to odd texts.

use attune::api::grpc::v1;
use attune::inference::fake::FakeFactory;
use tokio_stream::StreamExt;

use crate::support::{TestServer, assessment, factory, item, request};

const TEXT: &str = "The café was lovely 👍🏽 but nobody answered my e-mails. Twice!";

fn check_evidence(text: &str, evidence: &v1::Evidence) {
    let sum = evidence.bias + evidence.spans.iter().map(|s| s.contribution).sum::<f64>() + evidence.remainder;
    assert!((sum - evidence.logit).abs() < 1e-6, "{sum} is not {}", evidence.logit);
    for span in evidence.spans.iter().filter_map(|s| s.span) {
        let bytes = &text[span.byte_start as usize..span.byte_end as usize];
        let chars: String = text
            .chars()
            .skip(span.char_start as usize)
            .take((span.char_end - span.char_start) as usize)
            .collect();
        assert_eq!(bytes, chars);
        assert!(!bytes.is_empty() && bytes.trim() == bytes, "{bytes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_holds_probabilities_evidence_that_adds_up_and_the_model() {
    let server = TestServer::start(&[], factory()).await;
    let mut client = server.analysis().await;
    let mut call = request(TEXT);
    call.options =
        Some(v1::AnalysisOptions { sentences: Some(true), all_labels: true, ..Default::default() });
    let answer = client.analyze_text(call).await.unwrap().into_inner().assessment.unwrap();
    assert_eq!(answer.status(), v1::Status::Ok);
    assert_eq!((answer.coverage, answer.window_count, answer.language.as_str()), (1.0, 1, "en"));
    assert_eq!(answer.evidence_method(), v1::EvidenceMethod::Contributions);
    assert_eq!(answer.evidence_windows, 1);
    let sentiment = answer.sentiment.unwrap();
    assert!((sentiment.negative + sentiment.neutral + sentiment.positive - 1.0).abs() < 1e-9);
    assert!((sentiment.score - (sentiment.positive - sentiment.negative)).abs() < 1e-9);
    assert!(!sentiment.evidence.is_empty());
    for class in &sentiment.evidence {
        check_evidence(TEXT, class.evidence.as_ref().unwrap());
    }
    assert_eq!(answer.emotions.len(), 28);
    assert_eq!(answer.emotion_groups.len(), 7);
    for label in answer.emotions.iter().chain(&answer.cues) {
        assert_eq!(label.predicted, label.probability >= label.threshold);
        assert_eq!(label.predicted, label.evidence.is_some());
        if let Some(evidence) = &label.evidence {
            check_evidence(TEXT, evidence);
            let p = 1.0 / (1.0 + (-evidence.logit).exp());
            assert!((p - label.probability).abs() < 1e-9);
        }
    }
    assert!(answer.emotions.is_sorted_by(|a, b| a.probability >= b.probability));
    let sentences: Vec<&str> = answer
        .sentences
        .iter()
        .map(|s| s.span.unwrap())
        .map(|s| &TEXT[s.byte_start as usize..s.byte_end as usize])
        .collect();
    assert_eq!(sentences, ["The café was lovely 👍🏽 but nobody answered my e-mails.", "Twice!"]);
    assert_eq!(answer.model.unwrap().id, "attune-en-small");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_only_has_logits_gives_evidence_by_occlusion_and_says_so() {
    let server = TestServer::start(&[], FakeFactory { plain: true, ..factory() }).await;
    let mut client = server.analysis().await;
    let long = format!("{TEXT} {}", "The parcel never came, and nobody answers my calls. ".repeat(200));
    for (text, windows) in [(TEXT, 1), (long.as_str(), 4)] {
        let mut call = request(text);
        call.options = Some(v1::AnalysisOptions { sentences: Some(windows == 1), ..Default::default() });
        let answer = client.analyze_text(call).await.unwrap().into_inner().assessment.unwrap();
        assert_eq!(answer.evidence_method(), v1::EvidenceMethod::Occlusion);
        assert_eq!(answer.evidence_windows, windows);
        assert_eq!(answer.window_count > 4, windows == 4);
        assert_eq!(answer.sentences.len(), if windows == 1 { 2 } else { 0 });
        for class in &answer.sentiment.as_ref().unwrap().evidence {
            check_evidence(text, class.evidence.as_ref().unwrap());
        }
        for label in answer.emotions.iter().chain(&answer.cues) {
            check_evidence(text, label.evidence.as_ref().unwrap());
        }
    }
    let none = v1::AnalysisOptions { evidence: Some(false), ..Default::default() };
    let call = v1::AnalyzeTextRequest { options: Some(none), ..request(TEXT) };
    let answer = client.analyze_text(call).await.unwrap().into_inner().assessment.unwrap();
    assert_eq!(answer.evidence_method(), v1::EvidenceMethod::Unspecified);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn options_choose_heads_and_detail_and_move_thresholds() {
    let server = TestServer::start(&[], factory()).await;
    let mut client = server.analysis().await;
    let options = v1::AnalysisOptions {
        heads: vec!["emotion".into()],
        evidence: Some(false),
        thresholds: [("emotion.anger".to_owned(), 0.0), ("joy".to_owned(), 1.0)].into(),
        ..Default::default()
    };
    let call = v1::AnalyzeTextRequest { options: Some(options), ..request(TEXT) };
    let answer = client.analyze_text(call).await.unwrap().into_inner().assessment.unwrap();
    assert!(answer.sentiment.is_none() && answer.cues.is_empty() && answer.sentences.is_empty());
    let anger = answer.emotions.iter().find(|l| l.label == "anger").unwrap();
    assert!(anger.predicted && anger.threshold == 0.0 && anger.evidence.is_none());
    assert!(answer.emotions.iter().all(|l| l.label != "joy"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_texts_get_a_status_or_an_answer_and_never_an_internal_error() {
    let server = TestServer::start(&[], factory()).await;
    let mut client = server.analysis().await;
    for (text, status) in [
        ("", v1::Status::Empty),
        (" \t\r\n\u{a0}", v1::Status::Empty),
        ("\u{0}\u{1}\u{7f}\u{200b}", v1::Status::Empty),
        ("👩‍👩‍👧‍👦👍🏽🏳️‍🌈", v1::Status::Ok),
        ("a\u{301}\u{301}\u{301}\u{301} z\u{335}\u{335}algo", v1::Status::Ok),
        ("\u{202e}desrever si siht tub olleh", v1::Status::Ok),
        ("!!!???...", v1::Status::Ok),
        ("שלום, ההזמנה שלי לא הגיעה ואף אחד לא עונה", v1::Status::UnsupportedLanguage),
        ("Ich warte seit drei Wochen auf meine Lieferung.", v1::Status::UnsupportedLanguage),
    ] {
        let answer = client.analyze_text(request(text)).await.unwrap().into_inner().assessment.unwrap();
        assert_eq!(answer.status(), status, "{text:?}");
        assert_eq!(answer.sentiment.is_some(), status == v1::Status::Ok, "{text:?}");
    }
    let given = v1::AnalyzeTextRequest { language: "en".into(), ..request("Ich warte seit drei Wochen.") };
    let answer = client.analyze_text(given).await.unwrap().into_inner().assessment.unwrap();
    assert_eq!((answer.status(), answer.language_confidence), (v1::Status::Ok, 1.0));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_twenty_thousand_words_is_read_to_its_end() {
    let server = TestServer::start(&[], factory()).await;
    let mut client = server.analysis().await;
    let text: String = (0..20_000).map(|n| format!("word{} ", n % 977)).collect();
    let answer = client.analyze_text(request(&text)).await.unwrap().into_inner().assessment.unwrap();
    assert_eq!(answer.coverage, 1.0);
    assert!(answer.token_count >= 20_000 && answer.window_count > 100, "{answer:?}");
    for class in &answer.sentiment.unwrap().evidence {
        check_evidence(&text, class.evidence.as_ref().unwrap());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_answers_in_order_and_an_items_fault_stays_its_own() {
    let server = TestServer::start(&[("limits.text_bytes", "2000")], factory()).await;
    let mut client = server.analysis().await;
    let long = "a ".repeat(1500);
    let mut foreign = item("tag", "hello");
    foreign.language = "not a tag!".into();
    let items = vec![item("a", TEXT), item("b", &long), item(&"x".repeat(300), TEXT), foreign, item("e", "")];
    let call = v1::BatchAnalyzeTextRequest { items, ..Default::default() };
    let results = client.batch_analyze_text(call).await.unwrap().into_inner().results;
    assert_eq!(results.iter().map(|r| r.index).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(assessment(&results[0]).status(), v1::Status::Ok);
    assert_eq!(assessment(&results[4]).status(), v1::Status::Empty);
    for (result, field) in [(&results[1], "text"), (&results[2], "id"), (&results[3], "language")] {
        let Some(v1::item_result::Outcome::Error(error)) = &result.outcome else { panic!("{field}") };
        assert_eq!((error.code, error.field.as_str()), (tonic::Code::InvalidArgument as i32, field));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_items_in_a_batch_are_all_answered_and_one_more_is_refused_with_the_limit() {
    let server = TestServer::start(&[], factory()).await;
    let mut client = server.analysis().await;
    let items = |count: usize| (0..count).map(|n| item(&n.to_string(), &format!("message {n}"))).collect();
    let options = Some(v1::AnalysisOptions { evidence: Some(false), ..Default::default() });
    let call =
        v1::BatchAnalyzeTextRequest { items: items(10_000), options: options.clone(), ..Default::default() };
    let results = client.batch_analyze_text(call).await.unwrap().into_inner().results;
    assert_eq!(results.len(), 10_000);
    assert!(results.iter().enumerate().all(|(n, r)| r.id == n.to_string() && r.index == n as u64));
    let call = v1::BatchAnalyzeTextRequest { items: items(10_001), options, ..Default::default() };
    let status = client.batch_analyze_text(call).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert!(status.message().contains("has 10001 items, at most 10000"), "{}", status.message());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_answers_in_order_and_options_hold_until_they_change() {
    let server = TestServer::start(&[], factory()).await;
    let mut client = server.analysis().await;
    let messages = (0..200).map(|n| v1::StreamAnalyzeTextRequest {
        item: Some(item(&n.to_string(), &format!("message number {n}"))),
        options: (n == 100)
            .then(|| v1::AnalysisOptions { heads: vec!["emotion".into()], ..Default::default() }),
        ..Default::default()
    });
    let mut answers = client.stream_analyze_text(tokio_stream::iter(messages)).await.unwrap().into_inner();
    let mut next = 0;
    while let Some(answer) = answers.next().await {
        let result = answer.unwrap().result.unwrap();
        assert_eq!((result.index, result.id.as_str()), (next, next.to_string().as_str()));
        assert_eq!(assessment(&result).sentiment.is_some(), next < 100, "{next}");
        next += 1;
    }
    assert_eq!(next, 200);
    server.stop().await;
}
