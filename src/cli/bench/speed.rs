//! `erw bench speed`: how fast the model scores here, and how much of the device that uses.

use super::super::exit::Exit;
use super::super::print::{self, Style};
use super::super::progress::{Progress, Unit};
use super::super::table::{Side, Table};
use super::args::SpeedArgs;
use crate::model::speed::{SpeedPlan, SpeedReport, measure};
use crate::workbench::Workbench;

/// Measures, and prints.
pub(super) fn run(args: &SpeedArgs) -> anyhow::Result<Exit> {
    let bench = Workbench::new(args.place.choices())?;
    let workspace = bench.named_workspace()?;
    let dir = bench.model_dir(workspace.as_ref())?;
    let plan = SpeedPlan {
        candidates: args.candidates.clone(),
        rounds: args.rounds,
        picture: (args.side, args.side),
    };
    let total = plan.candidates.iter().sum::<usize>() * plan.rounds;
    let mut loading = Progress::new("loading", Unit::Bytes, 0);
    let mut bar = Progress::new("measuring", Unit::Candidates, total as u64);
    let report = measure(
        &dir,
        &bench.load_options()?,
        &plan,
        &mut |p| loading.set(p.done, p.total),
        &mut |candidates| bar.add(candidates as u64),
    )?;
    drop((loading, bar));
    if args.answer.json {
        print::json(&report)?;
    } else {
        print::out(&told(&report))?;
    }
    Ok(Exit::Done)
}

fn told(report: &SpeedReport) -> String {
    let mut table = Table::new(&[
        ("candidates", Side::Right),
        ("one pass, ms each", Side::Right),
        ("by itself, ms each", Side::Right),
        ("times as fast", Side::Right),
        ("rows each", Side::Right),
        ("TFLOP each", Side::Right),
        ("of the product", Side::Right),
        ("apart", Side::Right),
    ]);
    for row in &report.rows {
        let cells = vec![
            row.candidates.to_string(),
            format!("{:.1}", row.tree.milliseconds),
            format!("{:.1}", row.plain.milliseconds),
            format!("{:.2}", row.ratio),
            format!("{:.0} / {:.0}", row.tree.rows, row.plain.rows),
            format!("{:.3} / {:.3}", row.tree.teraflop, row.plain.teraflop),
            format!(
                "{:.0} % / {:.0} %",
                100.0 * row.tree.share,
                100.0 * row.plain.share
            ),
            format!("{:.0e}", row.apart),
        ];
        table.row(cells, false);
    }
    let (width, height) = report.picture;
    format!(
        "{} ({}), {}, {}\n{} × {} product: {:.3} TFLOP/s; pictures {width} × {height}; medians of {} rounds\n\n{}",
        report.model,
        report.backbone,
        report.device,
        report.precision,
        report.product_side,
        report.product_side,
        report.product_teraflops,
        report.rounds,
        table.render(Style::of_stdout())
    )
}
