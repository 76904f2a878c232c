//! Reading what finished benchmarks left in their folders: reports, mistakes, and where the images of a case are. On whichever
//! thread calls it, never the loop's.

use std::path::{Path, PathBuf};

use crate::bench::run::{self, Shown};
use crate::data::images;
use crate::domain::ImageRef;

use super::screens::bench::{BenchNews, Found, Mistakes, Wanted};

/// Reads what is wanted of the runs below `runs`; `answer` hears of each thing as soon as it is there.
pub(crate) fn read(runs: &Path, wanted: Wanted, answer: &dyn Fn(BenchNews)) {
    match wanted {
        Wanted::Reports(names) => {
            for name in names {
                let report = run::read_report(&runs.join(&name));
                let report = report.map(Box::new).map_err(|why| why.to_string());
                answer(BenchNews::Report(name, report));
            }
        }
        Wanted::Mistakes { run, figure } => {
            let read = mistakes(&runs.join(&run), &figure).map_err(|why| why.to_string());
            answer(BenchNews::Mistakes { run, figure, read });
        }
        Wanted::Images {
            case,
            roots,
            images,
        } => {
            let images = images.iter().map(|image| place(&roots, image.as_ref()?));
            let images = images.collect();
            answer(BenchNews::Images(Found { case, images }));
        }
    }
}

fn mistakes(folder: &Path, figure: &str) -> Result<Mistakes, crate::bench::BenchError> {
    let verdicts = run::verdicts(folder)?;
    let cases: Vec<Shown> = run::cases(folder)?;
    Ok(Mistakes::of(verdicts, cases, run::answers(folder)?, figure))
}

/// Where an image is, by the first of the folders that has it.
fn place(roots: &[PathBuf], image: &ImageRef) -> Option<PathBuf> {
    let found = roots.iter().find_map(|root| {
        let path = images::locate(root, image).ok()?;
        path.is_file().then_some(path)
    });
    found.and_then(|path| std::path::absolute(path).ok())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fs;

    use serde::Serialize;

    use super::*;
    use crate::tui::sample_of_benchmarks as sample;

    fn lines<T: Serialize>(path: &Path, lines: &[T]) {
        let lines = lines
            .iter()
            .map(|line| serde_json::to_string(line).unwrap());
        fs::write(path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    }

    /// The folder of runs, with one in it that is whole.
    fn runs() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("bench-3");
        fs::create_dir(&folder).unwrap();
        let report = serde_json::to_string(&sample::report("bench-3")).unwrap();
        fs::write(folder.join("report.json"), report).unwrap();
        let (verdicts, cases, answers) = sample::judged();
        lines(&folder.join(run::VERDICTS), &verdicts);
        lines(&folder.join(run::CASES), &cases);
        lines(&folder.join(run::ANSWERS), &answers);
        root
    }

    fn answers(runs: &Path, wanted: Wanted) -> Vec<BenchNews> {
        let heard = RefCell::new(Vec::new());
        read(runs, wanted, &|news| heard.borrow_mut().push(news));
        heard.into_inner()
    }

    #[test]
    fn a_report_is_read_as_it_was_written_and_a_missing_one_is_named() {
        let root = runs();
        let wanted = Wanted::Reports(vec!["bench-3".into(), "gone".into()]);
        let heard = answers(root.path(), wanted);
        let [
            BenchNews::Report(_, Ok(report)),
            BenchNews::Report(run, Err(why)),
        ] = &heard[..]
        else {
            panic!("{heard:?}");
        };
        assert_eq!(**report, sample::report("bench-3").unwrap());
        assert!(run == "gone" && why.contains("gone/report.json"), "{why}");
    }

    #[test]
    fn mistakes_are_read_with_cases_and_answers_even_of_what_was_not_understood() {
        let root = runs();
        let wanted = |run: &str| Wanted::Mistakes {
            run: run.into(),
            figure: "calibrated".into(),
        };
        let heard = answers(root.path(), wanted("bench-3"));
        let [BenchNews::Mistakes { read: Ok(read), .. }] = &heard[..] else {
            panic!("{heard:?}");
        };
        let last = read.kept.last().unwrap();
        assert!(last.verdict.weight.is_nan(), "{last:?}");
        assert!(read.kept.iter().all(|mistake| mistake.seen.is_some()));
        let heard = answers(root.path(), wanted("gone"));
        assert!(
            matches!(&heard[..], [BenchNews::Mistakes { read: Err(why), .. }] if why.contains("gone")),
            "{heard:?}"
        );
    }

    #[test]
    fn images_are_found_in_the_first_folder_that_has_them() {
        let root = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| root.path().join(name));
        for folder in [&a, &b] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(b.join("1.png"), "").unwrap();
        let wanted = Wanted::Images {
            case: "7".into(),
            roots: vec![a, b.clone()],
            images: vec![
                None,
                Some(ImageRef("1.png".into())),
                Some(ImageRef("2.png".into())),
                Some(ImageRef("../a".into())),
            ],
        };
        let heard = answers(root.path(), wanted);
        let [BenchNews::Images(found)] = &heard[..] else {
            panic!("{heard:?}");
        };
        assert_eq!(found.images, [None, Some(b.join("1.png")), None, None]);
    }
}
