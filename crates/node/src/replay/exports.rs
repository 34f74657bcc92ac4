//! Exported states, section by section.

use serde_json::{Map, Value};

use super::diff::{self, Depth};
use super::recording::Export;
use super::report::{Difference, Part, Report};

/// Compares the sections that were recorded with ours.
pub(super) fn compare(report: &mut Report, export: &Export, ours: &Map<String, Value>) {
    let Some(sections) = export.document["app_state"].as_object() else {
        report.leave_out("exports without app_state");
        return;
    };
    for (section, expected) in sections {
        report.compared(Part::Export, 1);
        let got = ours.get(section).unwrap_or(&Value::Null);
        for found in diff::compare(expected, got, Depth::Values) {
            let difference = Difference {
                part: Part::Export,
                height: Some(export.height),
                place: format!("exports/{}: {section}", export.file),
                field: found.field,
                expected: found.expected,
                got: found.got,
            };
            report.differs("", difference);
        }
    }
}
