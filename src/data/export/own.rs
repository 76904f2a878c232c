//! erw's own JSONL, from which a workspace is imported again without loss.

use super::{ExportFormat, ExportReport, Failed};
use crate::data::import::write_group;

pub(super) const FORMAT: ExportFormat = ExportFormat {
    name: "erw",
    title: "erw's own JSONL, a group a line: nothing is lost",
    ending: "jsonl",
    says_simulated: true,
    write: |export, report, mut out| {
        export.each(|group| {
            report.groups += 1;
            report.records += 1;
            let key = group.key.clone();
            let mut told = ExportReport::default();
            let path = |stored: String| {
                let image = crate::domain::ImageRef(stored);
                export
                    .path(&key, &image, &mut told)
                    .map_err(|error| match error {
                        Failed::Write(why) => why,
                        Failed::Workspace(error) => std::io::Error::other(error),
                    })
            };
            write_group(group, &mut out, path)?;
            report.missing += told.missing;
            report.missing_images.extend(told.missing_images);
            report.missing_images.truncate(ExportReport::LISTED);
            Ok(())
        })?;
        Ok(out)
    },
};
