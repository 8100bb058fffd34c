//! Which requirements are shown by what: the table by RFC that `--coverage` prints.
//!
//! What counts is what can be seen on the wire (column `testable` of the catalogue). `exempt.tsv` lists the rows of the RFCs
//! offered that nothing shows, each with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::report::{Align, aligned};
use super::{library, parse};
use crate::catalogue::{OFFERED, Requirement, requirements, rfc_of, topic};
use crate::model::Rule;

/// What the model checker shows in every run, by the rule that it checks.
pub const MODEL: [(Rule, &[&str]); 9] = [
    (Rule::UidKept, &["R3501-014"]),
    (Rule::NumberKept, &["R3501-023"]),
    (Rule::ExistsFalls, &["R3501-077"]),
    (Rule::HeldBack, &["R3501-085", "R3501-086"]),
    (
        Rule::ExpungeLegal,
        &["R3501-304", "R3501-305", "R3501-306", "R3501-307"],
    ),
    (Rule::NumberInRange, &["R3501-410"]),
    (Rule::UidPlus, &["R4315-007"]),
    (Rule::NothingLost, &["R6851-004", "R6851-005"]),
    (Rule::Move, &["R6851-006"]),
];

/// The ids that the model checker shows.
pub fn shown_by_model() -> impl Iterator<Item = &'static str> {
    MODEL.iter().flat_map(|(_, ids)| ids.iter().copied())
}

/// The rows that nothing has to show.
const EXEMPT: &str = include_str!("../../exempt.tsv");

/// How many rows may be exempt.
pub const MOST_EXEMPT: usize = 25;

/// A row that nothing has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exempt {
    /// The requirement.
    pub id: &'static str,
    /// Why no scenario can show it.
    pub reason: &'static str,
}

/// The rows that nothing has to show, in the order of the file.
pub fn exempt() -> Vec<Exempt> {
    let rows = EXEMPT.lines().skip(1);
    rows.map(|row| row.split_once('\t').unwrap_or((row, "")))
        .map(|(id, reason)| Exempt { id, reason })
        .collect()
}

/// Which requirements are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    covered: BTreeSet<String>,
}

impl Coverage {
    /// Of the scenarios that are built in, and of the model checker.
    ///
    /// # Errors
    /// What is wrong with the scenarios.
    pub fn built_in() -> Result<Self, Vec<parse::Error>> {
        let scenarios = library::built_in()?;
        Ok(Self::of(
            scenarios.iter().flat_map(|s| s.covers.iter().map(String::as_str)),
        ))
    }

    /// Of scenarios by the ids that they cite, and of the model checker.
    pub fn of<'a>(scenarios: impl IntoIterator<Item = &'a str>) -> Self {
        let mut covered: BTreeSet<String> = scenarios.into_iter().map(str::to_owned).collect();
        covered.extend(shown_by_model().map(str::to_owned));
        Self { covered }
    }

    /// The ids that are shown, in the order of the catalogue.
    pub fn covered(&self) -> Vec<&'static str> {
        let all = requirements().into_iter().map(|r| r.id);
        all.filter(|id| self.covered.contains(*id)).collect()
    }

    /// The tables: the RFCs that our own server does not offer, those that it offers, what is not covered, and what is exempt
    /// with its reason. The last line is `N of M wire-testable rows covered`, of the RFCs offered.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write_of(&requirements(), &exempt(), out)
    }

    fn write_of(&self, all: &[Requirement], exempt: &[Exempt], out: &mut dyn Write) -> io::Result<()> {
        let (offered, others): (Vec<&Requirement>, Vec<&Requirement>) =
            all.iter().partition(|r| OFFERED.contains(&r.rfc()));
        writeln!(out, "RFCs that imapd does not offer")?;
        self.table(&others, exempt, out)?;
        writeln!(out, "\nRFCs that imapd offers")?;
        let sum = self.table(&offered, exempt, out)?;
        if !exempt.is_empty() {
            writeln!(out, "\nExempt ({} of at most {MOST_EXEMPT})", exempt.len())?;
            for Exempt { id, reason } in exempt {
                writeln!(out, "  {id}  {reason}")?;
            }
        }
        writeln!(out, "\n{} of {} wire-testable rows covered", sum.covered, sum.wire)
    }

    fn table(&self, rows: &[&Requirement], exempt: &[Exempt], out: &mut dyn Write) -> io::Result<Count> {
        let mut rfcs: BTreeMap<u32, Count> = BTreeMap::new();
        for requirement in rows {
            let count = rfcs.entry(requirement.rfc()).or_default();
            count.add(requirement, self.covered.contains(requirement.id), exempt);
        }
        let sum = rfcs.values().fold(Count::default(), |sum, count| sum.plus(count));
        let head = ["RFC", "", "rows", "wire", "covered", "exempt", "left"];
        let mut lines = vec![head.map(str::to_owned).to_vec()];
        lines.extend(
            rfcs.iter()
                .map(|(rfc, count)| count.cells(rfc.to_string(), topic(*rfc))),
        );
        lines.push(sum.cells("all".into(), ""));
        for line in aligned(&lines, &[Align::Right, Align::Left]) {
            writeln!(out, "{line}")?;
        }
        if rfcs.values().any(|count| !count.left.is_empty()) {
            writeln!(out, "\nNot covered")?;
        }
        for (rfc, count) in rfcs.iter().filter(|(_, count)| !count.left.is_empty()) {
            // The RFC stands once, the numbers behind it, as many as a line holds.
            let numbers: Vec<&str> = count
                .left
                .iter()
                .filter_map(|id| id.split_once('-'))
                .map(|id| id.1)
                .collect();
            for (line, numbers) in numbers.chunks(20).enumerate() {
                let label = if line == 0 { format!("R{rfc}-") } else { String::new() };
                writeln!(out, "  {label:>7} {}", numbers.join(" "))?;
            }
        }
        Ok(sum)
    }
}

/// One RFC, or several.
#[derive(Debug, Default, Clone)]
struct Count {
    rows: usize,
    wire: usize,
    covered: usize,
    exempt: usize,
    left: Vec<&'static str>,
}

impl Count {
    fn add(&mut self, requirement: &Requirement, covered: bool, exempt: &[Exempt]) {
        self.rows += 1;
        if !requirement.testable {
            return;
        }
        self.wire += 1;
        if covered {
            self.covered += 1;
        } else if exempt.iter().any(|row| row.id == requirement.id) {
            self.exempt += 1;
        } else {
            self.left.push(requirement.id);
        }
    }

    fn plus(mut self, other: &Self) -> Self {
        self.rows += other.rows;
        self.wire += other.wire;
        self.covered += other.covered;
        self.exempt += other.exempt;
        self.left.extend(&other.left);
        self
    }

    fn cells(&self, name: String, about: &str) -> Vec<String> {
        let numbers = [self.rows, self.wire, self.covered, self.exempt, self.left.len()];
        let mut cells = vec![name, about.to_owned()];
        cells.extend(numbers.map(|n| n.to_string()));
        cells
    }
}

/// What a list of covered ids (a line each) lacks or has too much against what is covered now.
#[derive(Debug, PartialEq, Eq)]
pub struct Drift<'a> {
    /// Listed, but covered no more.
    pub lost: Vec<&'a str>,
    /// Covered, but not listed yet.
    pub new: Vec<&'a str>,
}

impl<'a> Drift<'a> {
    /// Compares the list with what is covered.
    pub fn of(list: &'a str, covered: &[&'a str]) -> Self {
        let lost = list.lines().filter(|id| !covered.contains(id)).collect();
        let new = covered.iter().filter(|id| !list.lines().any(|listed| listed == **id));
        Self {
            lost,
            new: new.copied().collect(),
        }
    }

    /// The list with the new ids added, in the order of RFC and number. Nothing ever leaves it.
    pub fn grown(&self, list: &str) -> String {
        let mut ids: Vec<&str> = list.lines().chain(self.new.iter().copied()).collect();
        ids.sort_by_key(|id| (rfc_of(id), *id));
        ids.iter().flat_map(|id| [*id, "\n"]).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// `covered.txt` lists every requirement that something shows, and only ever grows. With `UPDATE_GOLDEN=1` in the
    /// environment what is new is added to it.
    #[test]
    fn no_covered_requirement_loses_its_scenario() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("covered.txt");
        let list = std::fs::read_to_string(&path).unwrap();
        let coverage = Coverage::built_in().unwrap_or_else(|errors| panic!("{}", errors[0]));
        let covered = coverage.covered();
        let drift = Drift::of(&list, &covered);
        assert!(
            drift.lost.is_empty(),
            "nothing covers these any more: {}\nWrite a scenario that does, or give back the `covers:` that was taken away. \
             If no scenario can show such a row, move its id from tests/covered.txt to tests/exempt.tsv, with the reason.",
            drift.lost.join(" ")
        );
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, drift.grown(&list)).unwrap();
            return;
        }
        assert!(
            drift.new.is_empty(),
            "covered, but not yet in tests/covered.txt: {}\nAdd them, so that they stay covered: \
             UPDATE_GOLDEN=1 cargo test -p imap-compliance --lib loses_its_scenario",
            drift.new.join(" ")
        );
    }

    #[test]
    fn what_is_covered_is_not_exempt() {
        let coverage = Coverage::built_in().unwrap_or_else(|errors| panic!("{}", errors[0]));
        let covered = coverage.covered();
        let both: Vec<&str> = exempt()
            .iter()
            .map(|row| row.id)
            .filter(|id| covered.contains(id))
            .collect();
        assert_eq!(both, [""; 0], "take these out of tests/exempt.tsv");
    }

    #[test]
    fn the_rfcs_offered_have_525_rows_that_can_be_seen_on_the_wire() {
        let rows = requirements()
            .into_iter()
            .filter(|r| r.testable && OFFERED.contains(&r.rfc()));
        assert_eq!(rows.count(), 525);
    }

    #[test]
    fn exempt_rows_are_few_and_have_reasons() {
        let rows = exempt();
        assert!(rows.len() <= MOST_EXEMPT, "{} rows are exempt", rows.len());
        for (at, Exempt { id, reason }) in rows.iter().enumerate() {
            let known = requirements().into_iter().find(|r| r.id == *id);
            let counts = known.is_some_and(|r| r.testable && OFFERED.contains(&r.rfc()));
            assert!(counts, "{id} is no wire-testable row of an RFC offered");
            assert!(reason.len() > 20, "{id}: {reason:?} is no reason");
            assert!(
                rows[..at].iter().all(|earlier| earlier.id != *id),
                "{id} is listed twice"
            );
        }
    }

    #[test]
    fn the_table_counts_what_is_covered_exempt_and_left() {
        let row = |id, section, testable| Requirement {
            id,
            section,
            level: "MUST",
            text: "",
            testable,
            place: "",
        };
        let mut all = vec![
            row("R2177-001", "RFC2177 3", true),
            row("R2177-002", "RFC2177 3", false),
        ];
        all.extend(
            requirements()
                .into_iter()
                .filter(|r| r.rfc() == 6154 || r.rfc() == 5255),
        );
        let numbers: Vec<&'static str> = (0..22).map(|n| &*format!("R5182-{n:03}").leak()).collect();
        all.extend(numbers.iter().map(|id| row(id, "RFC5182 1", true)));
        let exempt = [Exempt {
            id: "R6154-002",
            reason: "cannot be seen",
        }];
        let coverage = Coverage {
            covered: ["R2177-001", "R6154-001", numbers[0], "unknown"]
                .map(str::to_owned)
                .into(),
        };
        let mut out = Vec::new();
        coverage.write_of(&all, &exempt, &mut out).unwrap();
        let expected = "\
RFCs that imapd does not offer
 RFC             rows  wire  covered  exempt  left
5182  SEARCHRES    22    22        1       0    21
5255  I18NLEVEL     1     1        0       0     1
 all               23    23        1       0    22

Not covered
   R5182- 001 002 003 004 005 006 007 008 009 010 011 012 013 014 015 016 017 018 019 020
          021
   R5255- 001

RFCs that imapd offers
 RFC               rows  wire  covered  exempt  left
2177  IDLE            2     1        1       0     0
6154  SPECIAL-USE    12    12        1       1    10
 all                 14    13        2       1    10

Not covered
   R6154- 003 004 005 006 007 008 009 010 011 012

Exempt (1 of at most 25)
  R6154-002  cannot be seen

2 of 13 wire-testable rows covered
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_list_of_covered_ids_tells_what_was_lost_and_what_is_new() {
        let list = "R3501-001\nR3501-002\n";
        let drift = Drift::of(list, &["R3501-001", "R10022-001", "R2177-001"]);
        assert_eq!(
            drift,
            Drift {
                lost: vec!["R3501-002"],
                new: vec!["R10022-001", "R2177-001"]
            }
        );
        assert_eq!(drift.grown(list), "R2177-001\nR3501-001\nR3501-002\nR10022-001\n");
    }

    #[test]
    fn the_model_checker_cites_what_is_in_the_catalogue() {
        for id in shown_by_model() {
            assert!(requirements().iter().any(|r| r.id == id && r.testable), "{id}");
        }
    }
}
