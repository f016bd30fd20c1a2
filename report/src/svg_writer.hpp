#pragma once

/// Writes one SVG element after another; what is opened gets closed.

#include <string>
#include <string_view>
#include <vector>

namespace xbar::report {

/// A length or coordinate with at most two decimals.
std::string px(double value);

struct Point {
  double x = 0;
  double y = 0;
};

enum class Anchor { start, middle, end };

class SvgWriter {
 public:
  /// `label` is what a screen reader says instead of the picture.
  SvgWriter(double width, double height, std::string_view label);

  /// `attributes` is markup: escape what comes from outside.
  void open(std::string_view tag, std::string_view attributes = {});
  void close();
  void element(std::string_view tag, std::string_view attributes);

  void line(Point from, Point to, std::string_view css_class);
  void path(std::string_view data, std::string_view css_class);
  void rect(Point corner, double width, double height, std::string_view attributes);
  /// One line of text; `content` is escaped.
  void text(Point base, std::string_view content, std::string_view css_class,
            Anchor anchor = Anchor::start);
  /// What appears under the pointer, for the element that is open.
  void tooltip(std::string_view content);
  /// A data point's marker; the shape follows the slot.
  void marker(Point centre, std::size_t slot);

  /// Closes everything and hands out the text.
  std::string finish();

 private:
  std::string out_;
  std::vector<std::string> open_;
};

/// Title in bold lines from y = 0 down; returns the y below it.
double draw_title(SvgWriter& svg, std::string_view title, double x, double width);

/// Names of series with a sample of each, in rows that fit `width`; returns the y below them.
enum class Sample { line, dashed_line, bar, dot };
struct LegendEntry {
  std::string name;
  std::size_t slot = 0;
  Sample sample = Sample::line;
};
double draw_legend(SvgWriter& svg, const std::vector<LegendEntry>& entries, Point corner,
                   double width);

}  // namespace xbar::report
