//! The real program on a made-up terminal: no key is lost, and the terminal is given back in every way a program can end.

#![cfg(unix)]

mod jobs;
mod terminal;
mod vanished;

use portable_pty::CommandBuilder;
use rustix::process::{Pid, Signal, kill_process};
use terminal::{Manner, Terminal, workspace};

const ALL: [Manner; 4] = [
    Manner::Silent,
    Manner::Xterm,
    Manner::Kitty,
    Manner::Stuttering,
];

fn signal(terminal: &Terminal, signal: Signal) {
    kill_process(Pid::from_raw(terminal.pid()).unwrap(), signal).unwrap();
}

#[test]
fn no_key_typed_during_start_up_is_lost_whatever_the_terminal_answers() {
    let (_dir, root) = workspace();
    for manner in ALL {
        let mut terminal = Terminal::erw(&root, manner, &[]);
        terminal.write(b"jj");
        let place = if manner == Manner::Stuttering {
            "4/6"
        } else {
            "3/6"
        };
        terminal.wait_for(place);
        terminal.wait_for("request number 6");
        terminal.write(b"q");
        assert!(terminal.end().success(), "{manner:?}");
        terminal.assert_given_back();
    }
}

#[test]
fn the_terminal_decides_how_pictures_are_drawn_and_a_flag_overrides_it() {
    let (_dir, root) = workspace();
    for (manner, arguments, protocol) in [
        (Manner::Silent, &[][..], "halfblocks"),
        (Manner::Xterm, &[], "sixel"),
        (Manner::Kitty, &[], "kitty"),
        (
            Manner::Kitty,
            &["--image-protocol", "halfblocks"],
            "halfblocks",
        ),
        (Manner::Silent, &["--image-protocol", "iterm2"], "iterm2"),
    ] {
        let mut terminal = Terminal::erw(&root, manner, arguments);
        terminal.wait_for(protocol);
        let picture: &[u8] = match protocol {
            "sixel" => b"\x1bP",
            "kitty" => b"a=T,U=1",
            "iterm2" => b"\x1b]1337;File=",
            _ => "▀".as_bytes(),
        };
        terminal.wait("a picture", |terminal| {
            terminal.raw.windows(picture.len()).any(|w| w == picture)
        });
        terminal.write(b"q");
        assert!(terminal.end().success(), "{manner:?} {protocol}");
        terminal.assert_given_back();
    }
}

#[test]
fn kitty_gets_its_images_in_colourless_mode_too_and_they_are_deleted_at_the_end() {
    let (_dir, root) = workspace();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_erw"));
    command.args(["--workspace".as_ref(), root.as_os_str()]);
    command.env("NO_COLOR", "1");
    let mut terminal = Terminal::start(command, &root, Manner::Kitty);
    terminal.wait_for("mono");
    terminal.wait("placeholders in the colour of their number", |terminal| {
        let text = String::from_utf8_lossy(&terminal.raw).into_owned();
        text.contains('\u{10EEEE}') && text.contains("\u{1b}[38;2;")
    });
    terminal.write(b"q");
    assert!(terminal.end().success());
    let text = String::from_utf8_lossy(&terminal.raw).into_owned();
    let sent = text.matches(",a=T,U=1,").count();
    assert!(sent > 0);
    assert!(
        text.matches("a=d,d=I,i=").count() >= sent,
        "every image sent is deleted"
    );
    terminal.assert_given_back();
}

#[test]
fn every_key_that_quits_and_every_signal_that_ends_gives_the_terminal_back() {
    let (_dir, root) = workspace();
    for key in [&b"q"[..], b"\x03"] {
        let mut terminal = Terminal::erw(&root, Manner::Xterm, &[]);
        terminal.wait_for("request number 1");
        terminal.write(key);
        assert!(terminal.end().success());
        terminal.assert_given_back();
    }
    for number in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let mut terminal = Terminal::erw(&root, Manner::Xterm, &[]);
        terminal.wait_for("request number 1");
        signal(&terminal, number);
        terminal.end();
        terminal.assert_given_back();
    }
}

#[test]
fn a_panic_and_an_error_give_the_terminal_back_before_they_speak() {
    let (_dir, root) = workspace();
    for fault in ["panic", "error"] {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_erw"));
        command.args(["--workspace".as_ref(), root.as_os_str()]);
        command.env("ERW_TEST_FAULT", fault);
        let mut terminal = Terminal::start(command, &root, Manner::Silent);
        assert!(!terminal.end().success(), "{fault}");
        terminal.assert_given_back();
        let text = terminal.text();
        assert!(
            text.contains("asked for by ERW_TEST_FAULT"),
            "{fault}: {text}"
        );
    }
}

#[test]
fn a_theme_that_does_not_exist_is_an_error_on_an_untouched_terminal() {
    let (_dir, root) = workspace();
    let mut terminal = Terminal::erw(&root, Manner::Silent, &["--theme", "mauve"]);
    assert!(!terminal.end().success());
    assert!(!terminal.raw.windows(8).any(|w| w == b"\x1b[?1049h"));
    assert!(terminal.text().contains("'mauve'"), "{}", terminal.text());
}

#[test]
fn ctrl_z_gives_the_shell_its_terminal_and_fg_brings_everything_back() {
    let (_dir, root) = workspace();
    let mut shell = CommandBuilder::new("sh");
    shell.arg("-i");
    shell.env("PS1", "prompt> ");
    let mut terminal = Terminal::start(shell, &root, Manner::Xterm);
    terminal.wait_for("prompt>");
    terminal.write(b"stty -a > before; echo re''ady\r");
    // Typed before the shell asks, the next command would leave a bare prompt behind on the screen.
    terminal.wait_for("ready");
    terminal.wait_for_prompt();
    let erw = env!("CARGO_BIN_EXE_erw");
    terminal.write(format!("{erw} --workspace .\r").as_bytes());
    terminal.wait("the workbench", |terminal| {
        terminal.is_taken() && terminal.text().contains("1/6")
    });
    terminal.write(b"jj");
    terminal.wait_for("3/6");
    terminal.write(b"\x1a");
    terminal.wait_for("Stopped");
    terminal.wait_for_prompt();
    terminal.write(b"stty -a > during; echo in the she''ll\r");
    terminal.wait_for("in the shell");
    let modes = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    assert_eq!(modes("before"), modes("during"));
    terminal.write(b"fg\r");
    terminal.wait("the workbench again", |terminal| {
        terminal.is_taken() && terminal.text().contains("3/6")
    });
    terminal.write(b"j");
    terminal.wait_for("4/6");
    terminal.write(b"q");
    terminal.wait_for_prompt();
    terminal.write(b"stty -a > after; echo back a''gain\r");
    terminal.wait_for("back again");
    assert_eq!(modes("before"), modes("after"));
    terminal.write(b"exit\r");
    terminal.end();
}

#[test]
fn a_smaller_and_a_tiny_window_are_drawn_anew() {
    let (_dir, root) = workspace();
    let mut terminal = Terminal::erw(&root, Manner::Silent, &[]);
    terminal.wait_for("1/6");
    terminal.resize(20, 60);
    terminal.wait_for("candidate");
    terminal.resize(4, 20);
    terminal.wait_for("too small");
    terminal.resize(1, 1);
    terminal.resize(30, 100);
    terminal.wait_for("request number 6");
    terminal.write(b"q");
    assert!(terminal.end().success());
    terminal.assert_given_back();
}
