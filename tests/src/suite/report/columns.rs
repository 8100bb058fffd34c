//! Tables for a terminal: columns as wide as what stands in them.

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::suite) enum Align {
    Left,
    Right,
}

/// The rows with their columns aligned, two spaces apart, each line as it is to be printed. Columns without an alignment
/// stand right.
pub(in crate::suite) fn aligned(rows: &[Vec<String>], align: &[Align]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(width - cell.chars().count());
            let left = align.get(column) == Some(&Align::Left);
            if column > 0 {
                line.push_str("  ");
            }
            let [first, second] = if left { [cell, &gap] } else { [&gap, cell] };
            line.push_str(first);
            line.push_str(second);
        }
        line.truncate(line.trim_end().len());
        line
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [
            row(["RFC", "for", "n"]),
            row(["9", "Übung", "100"]),
            row(["10022", "", "–"]),
        ];
        assert_eq!(
            aligned(&rows, &[Align::Right, Align::Left]),
            ["  RFC  for      n", "    9  Übung  100", "10022           –"]
        );
    }
}
