//! A report as one HTML file that needs nothing beside it: style, plots and pictures are in it, and there is no script.

use std::fmt::Write as _;

use super::markup::escaped;

const STYLE: &str = include_str!("page.css");
const PLOT_STYLE: &str = include_str!("plot.css");

/// A page from its title, its facts and what stands below them. The policy keeps data from fetching or running anything, should it
/// ever get past the escaping.
pub fn framed(title: &str, facts: &[(&str, String)], body: &str) -> String {
    let title = escaped(title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"erw\">\n<title>{title}</title>\n<style>\n{PLOT_STYLE}{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n<dl>\n"
    );
    for (term, text) in facts {
        let _ = writeln!(
            out,
            "<dt>{}</dt>\n<dd>{}</dd>",
            escaped(term),
            escaped(text)
        );
    }
    let _ = write!(
        out,
        "</dl>\n</header>\n<main>\n{body}</main>\n</body>\n</html>\n"
    );
    out
}
