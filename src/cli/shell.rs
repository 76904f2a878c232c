//! What the shell and `man` want to know of the command line, generated from its one definition.

use anyhow::Context as _;
use clap::CommandFactory as _;
use serde::Serialize;

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::exit::Exit;
use super::print;

/// `erw completions`: the script that completes verbs and flags.
pub(super) fn completions(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Report {
        shell: String,
        script: String,
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "erw", &mut script);
    let script = String::from_utf8(script).context("the completion script is not text")?;
    if args.answer.json {
        print::json(&Report {
            shell: args.shell.to_string(),
            script,
        })?;
    } else {
        print::out(&script)?;
    }
    Ok(Exit::Done)
}

/// `erw man`: the manual page of the program, or all pages into a folder.
pub(super) fn man(args: &ManArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Report {
        pages: Vec<Page>,
    }
    #[derive(Serialize)]
    struct Page {
        name: String,
        roff: String,
    }
    let mut command = Cli::command();
    command.build();
    let mut pages = Vec::new();
    collect(&command, &mut |name, roff| pages.push(Page { name, roff }))?;
    if let Some(dir) = &args.dir {
        std::fs::create_dir_all(dir)
            .with_context(|| format!("cannot make the folder '{}'", dir.display()))?;
        for page in &pages {
            let file = dir.join(&page.name);
            std::fs::write(&file, &page.roff)
                .with_context(|| format!("cannot write '{}'", file.display()))?;
        }
        print::note(&format!("{} pages in '{}'", pages.len(), dir.display()));
    }
    if args.answer.json {
        print::json(&Report { pages })?;
    } else if args.dir.is_none()
        && let Some(first) = pages.first()
    {
        print::out(&first.roff)?;
    }
    Ok(Exit::Done)
}

/// The page of `command`, then those of its verbs.
fn collect(command: &clap::Command, page: &mut dyn FnMut(String, String)) -> anyhow::Result<()> {
    let man = clap_mangen::Man::new(command.clone())
        .source(concat!("erw ", env!("CARGO_PKG_VERSION")))
        .manual("erw");
    let name = man.get_filename();
    let mut roff = Vec::new();
    man.render(&mut roff)?;
    let roff = String::from_utf8(roff).context("the manual page is not text")?;
    page(name, roff);
    let verbs = command.get_subcommands().filter(|v| !v.is_hide_set());
    for verb in verbs.filter(|v| v.get_name() != "help") {
        collect(verb, page)?;
    }
    Ok(())
}
