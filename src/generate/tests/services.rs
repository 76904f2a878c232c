//! Services as editors, against a real server on this machine, and what goes wrong on the way.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::remote::server::{Act, Request, Server};
use crate::remote::to_base64;

/// Settings of an editor behind the server.
fn settings(server: &Server, more: &str) -> String {
    format!(
        "[editors.far]\nbase_url = \"{}\"\nmodel = \"m\"\n{more}\n",
        server.url()
    )
}

/// An answer with a picture of that width.
fn answer(width: u32) -> Act {
    let text = to_base64(&picture(width, 4));
    Act::Send(
        200,
        "",
        json!({"created": 1, "data": [{"b64_json": text}]}).to_string(),
    )
}

/// The parts of a form: what names each, and what is in it.
fn parts(request: &Request) -> Vec<(String, Vec<u8>)> {
    let kind = request.header("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let mark = format!("--{boundary}");
    let find = |from: usize, what: &[u8]| {
        let windows = request.body[from..].windows(what.len());
        windows
            .enumerate()
            .find(|(_, w)| *w == what)
            .map(|(at, _)| from + at)
    };
    let (mut parts, mut at) = (Vec::new(), find(0, mark.as_bytes()).unwrap());
    while let Some(end) = find(at + 1, mark.as_bytes()) {
        let head_end = find(at, b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&request.body[at + mark.len() + 2..head_end]);
        let names = head.lines().next().unwrap();
        let names = names
            .strip_prefix("Content-Disposition: form-data; ")
            .unwrap();
        parts.push((
            names.to_owned(),
            request.body[head_end + 4..end - 2].to_vec(),
        ));
        at = end;
    }
    assert!(request.body[at..].starts_with(format!("{mark}--").as_bytes()));
    parts
}

#[test]
fn the_image_the_instruction_and_the_settings_go_out_as_a_form_and_the_image_comes_back() {
    let evil = "say \"hi\"\r\n--erw-\u{1f600}";
    let rig = Rig::new(&[evil]);
    let server = Server::start(|number, _| answer(10 + number as u32));
    let more =
        "seeds = [3, 4]\nsize = \"auto\"\nseed_field = \"seed\"\nfields = { quality = \"high\" }";
    let (folder, report) = rig.made(&settings(&server, more));
    assert_eq!((report.made, report.failed), (2, 0));
    assert_eq!(
        report.editors[0].by,
        format!("m at {} size=auto quality=high", server.url())
    );
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    let text = |name: &str, value: &str| (format!("name=\"{name}\""), value.as_bytes().to_vec());
    for (request, seed) in requests.iter().zip(["3", "4"]) {
        assert_eq!(request.path, "/v1/images/edits");
        assert_eq!(request.header("authorization"), None);
        let image = "name=\"image\"; filename=\"source.png\"".to_owned();
        let expected = [
            text("model", "m"),
            text("prompt", evil),
            text("n", "1"),
            text("size", "auto"),
            text("seed", seed),
            text("quality", "high"),
            (image, std::fs::read(rig.path("s.png")).unwrap()),
        ];
        assert_eq!(parts(request), expected);
    }
    let widths = rig.candidates(1).into_iter().map(|candidate| {
        let file = rig.dir.path().join(&candidate.image.0);
        images::dimensions(&std::fs::read(file).unwrap()).unwrap().0
    });
    assert_eq!(widths.collect::<Vec<_>>(), [10, 11]);
    assert_eq!(answers(folder.path()).unwrap()[0].tries, 1);
}

#[test]
fn a_large_source_is_made_smaller_where_the_settings_say_so() {
    let rig = Rig::new(&["x"]);
    let server = Server::start(|_, _| answer(1));
    rig.made(&settings(&server, "max_side = 4"));
    let requests = server.requests();
    let parts = parts(&requests[0]);
    assert_eq!(images::dimensions(&parts.last().unwrap().1), Ok((4, 3)));
    assert_eq!(
        parts
            .iter()
            .filter(|(names, _)| names.contains("seed"))
            .count(),
        0
    );
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let rig = Rig::new(&["x"]);
    let server = Server::start(|number, _| match number {
        0 => Act::Send(429, "Retry-After: 3\r\n", "{}".into()),
        _ => answer(5),
    });
    let (folder, report) = rig.made(&settings(&server, ""));
    assert_eq!(
        (report.made, answers(folder.path()).unwrap()[0].tries),
        (1, 2)
    );
    assert_eq!(rig.clock.waits(), [Duration::from_secs(3)]);
    let log = std::fs::read_to_string(folder.log()).unwrap();
    assert!(
        log.contains("group 'g1', seed 1: editor 'far': status 429"),
        "{log}"
    );
}

#[test]
fn what_may_pass_is_tried_again_with_growing_waits() {
    for (name, fault) in [
        ("500", (|| Act::Send(500, "", "oops".into())) as fn() -> Act),
        ("half an answer", || Act::BreakOff("{\"data\": []}".into())),
        ("no JSON", || Act::Send(200, "", "<html>".into())),
        ("half of the JSON", || {
            Act::Send(200, "", "{\"data\": [{".into())
        }),
        ("no image", || Act::Send(200, "", "{\"data\": []}".into())),
        ("no base64", || {
            Act::Send(200, "", json!({"data": [{"b64_json": "%%%"}]}).to_string())
        }),
        ("no picture", || {
            let text = to_base64(b"hello");
            Act::Send(200, "", json!({"data": [{"b64_json": text}]}).to_string())
        }),
        ("half a picture", || {
            let text = to_base64(&picture(9, 9)[..50]);
            Act::Send(200, "", json!({"data": [{"b64_json": text}]}).to_string())
        }),
    ] {
        let rig = Rig::new(&["x"]);
        let server = Server::start(move |number, _| match number {
            0..2 => fault(),
            _ => answer(5),
        });
        let (_, report) = rig.made(&settings(&server, "retries = 2"));
        assert_eq!((report.made, report.failed), (1, 0), "{name}");
        assert_eq!(
            (server.requests().len(), rig.clock.waits().len()),
            (3, 2),
            "{name}"
        );
    }
}

#[test]
fn a_server_that_fails_for_ever_is_a_reason_and_no_candidate() {
    let rig = Rig::new(&["x"]);
    let server = Server::start(|_, _| Act::Send(500, "", "{\"error\": \"no GPU\"}".into()));
    let (folder, report) = rig.made(&settings(&server, "retries = 1"));
    assert_eq!((report.made, report.failed), (0, 1));
    let url = server.url();
    assert_eq!(
        failure(&folder).failed.unwrap(),
        format!("editor 'far': {url}/images/edits: status 500 (it says: no GPU); tried 2 times")
    );
}

#[test]
fn what_is_refused_for_good_is_not_asked_again() {
    let rig = Rig::new(&["rude", "polite"]);
    let server = Server::start(|number, _| match number {
        0 => Act::Send(
            400,
            "",
            "{\"error\": {\"message\": \"rejected by the safety system\"}}".into(),
        ),
        _ => answer(5),
    });
    let (folder, report) = rig.made(&settings(&server, ""));
    assert_eq!(
        (report.made, report.failed, server.requests().len()),
        (1, 1, 2)
    );
    let failure = failure(&folder);
    let why = failure.failed.unwrap();
    assert!(
        why.contains("rejected by the safety system") && why.contains("seed_field"),
        "{why}"
    );
    assert_eq!(failure.group, "g1");
}

#[test]
fn an_address_instead_of_an_image_says_which_field_to_add() {
    let rig = Rig::new(&["x", "y"]);
    let server = Server::start(|_, _| {
        Act::Send(
            200,
            "",
            json!({"data": [{"url": "https://far/i.png"}]}).to_string(),
        )
    });
    let workspace = rig.workspace();
    let task = rig.task(&workspace, &settings(&server, ""));
    let error = rig
        .run_in(&rig.folder(), &task, &|| false)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("fields = { response_format = \"b64_json\" }"),
        "{error}"
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_key_that_is_named_and_not_set_ends_the_run_before_anything_is_asked() {
    let rig = Rig::new(&["x"]);
    let server = Server::start(|_, _| answer(5));
    let workspace = rig.workspace();
    let task = rig.task(
        &workspace,
        &settings(&server, "key_env = \"ERW_NO_SUCH_KEY\""),
    );
    let error = rig
        .run_in(&rig.folder(), &task, &|| false)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("editor 'far': ") && error.contains("ERW_NO_SUCH_KEY, which is not set"),
        "{error}"
    );
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_pace_of_the_settings_is_kept() {
    let rig = Rig::new(&["x", "y", "z"]);
    let server = Server::start(|_, _| answer(5));
    rig.made(&settings(&server, "requests_per_minute = 20"));
    assert_eq!(rig.clock.waits(), [Duration::from_secs(3); 2]);
}

#[test]
fn a_run_that_is_stopped_does_not_wait_for_a_server_that_is_silent() {
    let rig = Rig::new(&["x", "y"]);
    let server = Server::start(|number, _| match number {
        0 => answer(5),
        _ => Act::KeepSilent,
    });
    let workspace = rig.workspace();
    // Longer than a test may take: what is in flight has to be cut off.
    let task = rig.task(&workspace, &settings(&server, "timeout_s = 3600"));
    let stop = || server.requests().len() == 2;
    let outcome = rig.run_in(&rig.folder(), &task, &stop).unwrap();
    assert!(
        matches!(outcome, Outcome::Stopped { done: 1, of: 2 }),
        "{outcome:?}"
    );
}
