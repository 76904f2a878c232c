//! ShareGPT-4o-Image's JSON: a list of edits, each an instruction, its input image and its output image.

use std::io::Write;

use serde::Serialize;

use super::{ExportFormat, Failed};

pub(super) const FORMAT: ExportFormat = ExportFormat {
    name: "sharegpt-4o-image",
    title: "ShareGPT-4o-Image JSON, an edit a record, for training editors",
    ending: "",
    says_simulated: true,
    write: |export, report, mut out| {
        let mut begun = false;
        export.each(|group| {
            if group.source.is_none() {
                report.left_out += 1;
                return Ok(());
            }
            report.groups += 1;
            let source = export.path(&group.key, &group.source, report)?;
            for candidate in &group.candidates {
                let edited = export.path(&group.key, &candidate.image, report)?;
                let edit = Edit {
                    input_prompt: &group.instruction,
                    input_image: &source,
                    output_image: &edited,
                };
                out.write_all(if begun { b",\n" } else { b"[\n" })?;
                begun = true;
                serde_json::to_writer(&mut out, &edit).map_err(Failed::from)?;
                report.records += 1;
            }
            Ok(())
        })?;
        out.write_all(if begun { b"\n]\n" } else { b"[]\n" })?;
        Ok(out)
    },
};

#[derive(Serialize)]
struct Edit<'a> {
    input_prompt: &'a str,
    input_image: &'a str,
    output_image: &'a str,
}
