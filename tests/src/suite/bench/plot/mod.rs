//! A run as a picture in SVG: bars for two servers side by side, curves for how cost grows.

mod bars;
mod curves;

use maud::{Markup, html};

use super::record::Record;
use crate::suite::report::visible;

/// The picture, where there is one: a run of one server without sizes has figures that cannot be set side by side.
pub fn svg(record: &Record) -> Option<String> {
    let markup = if record.is_growth() {
        curves::draw(record)
    } else if record.servers.len() == 2 {
        bars::draw(record)
    } else {
        return None;
    };
    Some(markup.into_string())
}

const WIDTH: f64 = 1080.0;
const INK: &str = "#1b1f24";
const SOFT: &str = "#6b7480";
const RULE: &str = "#e3e7ec";
const FONT: &str = "system-ui, 'DejaVu Sans', sans-serif";

/// The frame of a picture: its size, a white ground, a title and a line beneath it.
fn frame(height: f64, title: &str, about: &str, content: &Markup) -> Markup {
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(WIDTH) height=(at(height))
            viewBox=(format!("0 0 {WIDTH} {}", at(height))) font-family=(FONT) font-size="12" fill=(INK) role="img" {
            title { (title) }
            rect width=(WIDTH) height=(at(height)) fill="#fff" {}
            text x="20" y="30" font-size="18" font-weight="600" { (title) }
            text x="20" y="50" fill=(SOFT) { (about) }
            (content)
        }
        "\n"
    }
}

/// A coordinate.
fn at(value: f64) -> String {
    format!("{value:.1}")
}

/// The label of a server.
fn label(record: &Record, server: usize) -> String {
    let label = record.servers.get(server).map(|server| visible(&server.label));
    label.unwrap_or_default().into_owned()
}

/// A scale on which equal ratios are equally far apart.
#[derive(Debug, Clone, Copy)]
struct Logarithmic {
    /// The values at both ends, both above 0.
    values: (f64, f64),
    /// Where the ends are.
    places: (f64, f64),
}

impl Logarithmic {
    fn place(&self, value: f64) -> f64 {
        let ((from, to), (start, end)) = (self.values, self.places);
        start + (value / from).ln() / (to / from).ln() * (end - start)
    }

    /// Round values within it: 1, 2, 5, 10 … if they are not too many, else 1, 10, 100 …
    fn ticks(&self) -> Vec<f64> {
        let all = |of: &[f64]| -> Vec<f64> {
            let powers = (-6..9).map(|power| 10_f64.powi(power));
            let values = powers.flat_map(|power| of.iter().map(move |digit| digit * power).collect::<Vec<_>>());
            let (from, to) = self.values;
            values.filter(|value| (from..=to).contains(value)).collect()
        };
        let fine = all(&[1.0, 2.0, 5.0]);
        if fine.len() <= 10 { fine } else { all(&[1.0]) }
    }
}

/// A tick's value: `0.5`, `2,000` as `2000`.
fn tick(value: f64) -> String {
    if value >= 1.0 {
        format!("{value:.0}")
    } else {
        let text = format!("{value:.6}");
        text.trim_end_matches('0').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::super::report::sample;
    use super::*;

    /// The texts of elements with this name.
    fn texts(svg: &str, name: &str) -> Vec<String> {
        let picture = Document::parse(svg).unwrap();
        let named = picture.descendants().filter(|node| node.tag_name().name() == name);
        named.map(|node| node.text().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn a_bar_for_each_ratio_and_a_word_for_what_has_none() {
        let svg = svg(&sample::two()).unwrap();
        // One is the ground.
        assert_eq!(texts(&svg, "rect").len(), 1 + 2);
        let shown = texts(&svg, "text");
        let words = ["4.00×", "0.25×", "ERROR", "not measured", "geometric mean 1.00×"];
        let found = words.map(|word| shown.iter().filter(|text| *text == word).count());
        assert_eq!(found, [1; 5]);
    }

    #[test]
    fn a_curve_for_each_server() {
        let svg = svg(&sample::growth()).unwrap();
        assert_eq!(texts(&svg, "polyline").len(), 2);
        // The last of the second's is an error.
        assert_eq!(texts(&svg, "circle").len(), 5);
    }

    #[test]
    fn figures_of_one_server_have_no_picture() {
        assert_eq!(svg(&sample::one()), None);
    }

    #[test]
    fn equal_ratios_are_equally_far_apart() {
        let scale = Logarithmic {
            values: (0.1, 1000.0),
            places: (0.0, 400.0),
        };
        let places = [0.1, 1.0, 10.0, 1000.0].map(|value| at(scale.place(value)));
        assert_eq!(places, ["0.0", "100.0", "200.0", "400.0"]);
        let shown: Vec<String> = scale.ticks().into_iter().map(tick).collect();
        assert_eq!(shown, ["0.1", "1", "10", "100", "1000"]);
        let narrow = Logarithmic {
            values: (0.4, 6.0),
            places: (0.0, 1.0),
        };
        let shown: Vec<String> = narrow.ticks().into_iter().map(tick).collect();
        assert_eq!(shown, ["0.5", "1", "2", "5"]);
    }
}
