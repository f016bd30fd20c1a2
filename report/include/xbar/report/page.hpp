#pragma once

/// One HTML file that needs nothing else: no network, no fonts, no scripts from outside. Light and
/// dark by the reader's setting, readable in print and without JavaScript.

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xbar::report {

/// What a number means for the reader. Always shown as a sign and a word beside the colour.
enum class Status { neutral, good, warn, bad };

/// A headline number on top of the page.
struct Card {
  std::string label = {};        ///< what it is, e.g. "Accuracy, wired"
  std::string value = {};        ///< e.g. format_fixed(94.7, 1)
  std::string unit = {};         ///< set small behind the value
  std::string explanation = {};  ///< one short sentence
  Status status = Status::neutral;
};

/// A table cell: text, or a number that sorts by its value.
struct Cell {
  std::string text;
  std::optional<double> key = {};  ///< sorts by this; a column of keys is right-aligned
  Status status = Status::neutral;

  Cell() = default;
  // Implicit, so that rows read as they are: {"conv1", 3, 0.61}.
  // NOLINTBEGIN(google-explicit-constructor,modernize-pass-by-value)
  Cell(std::string_view content, Status meaning = Status::neutral)
      : text(content), status(meaning) {}
  Cell(const char* content, Status meaning = Status::neutral) : text(content), status(meaning) {}
  Cell(const std::string& content, Status meaning = Status::neutral)
      : text(content), status(meaning) {}
  /// Shown by format_number with `digits` significant digits.
  Cell(std::floating_point auto value, int digits = 4) : Cell(number(double(value), digits)) {}
  Cell(std::integral auto value) : Cell(whole(static_cast<long long>(value))) {}

  // NOLINTEND(google-explicit-constructor,modernize-pass-by-value)

  /// Shown with exactly `decimals` digits behind the point, so that the points line up.
  [[nodiscard]] static Cell fixed(double value, int decimals, Status meaning = Status::neutral);
  [[nodiscard]] static Cell number(double value, int digits = 4, Status meaning = Status::neutral);
  [[nodiscard]] static Cell whole(long long value);
};

/// Rows may be shorter than the header (empty cells), not longer.
struct Table {
  std::vector<std::string> header = {};
  std::vector<std::vector<Cell>> rows = {};
  std::string caption = {};
  bool sortable = true;
};

/// A run of content: what a section or a collapsible part holds. All text is escaped; only `figure`
/// takes markup.
class Blocks {
 public:
  Blocks();
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  ~Blocks();

  Blocks& paragraph(std::string_view text);
  /// `svg`: markup from a plot's svg(), inserted as it is, so it must be trusted. Neighbouring
  /// figures share a row where the screen is wide enough; `full_width` takes the row alone.
  Blocks& figure(std::string_view svg, std::string_view caption = {}, bool full_width = false);
  /// @throws InvalidArgument naming the row that has more cells than the header.
  Blocks& table(const Table& table);
  Blocks& key_values(const std::vector<std::pair<std::string, std::string>>& entries);
  /// Monospaced, white space kept: a log, a configuration, a command line.
  Blocks& preformatted(std::string_view text);
  /// A collapsed part with content of its own; the reference lives as long as this object.
  Blocks& details(std::string_view summary);

  [[nodiscard]] std::string html() const;

 private:
  struct Block;
  std::vector<Block> blocks_;
};

enum class Theme { automatic, light, dark };

/// Builder of the page: title, verdict and cards on top, contents, then the sections in order.
///
///     Page page("Validation", "operating-point ladder against the exact solver");
///     page.verdict(Status::good, "Passed", "Every surrogate is within its tolerance.");
///     page.card({"Largest error", "0.61", "%", "128 x 128, 20 kΩ", Status::good});
///     page.section("Error").paragraph("...").figure(plot.svg(), "Random sparse inputs.");
///     write_file_atomically(path, page.html());
class Page {
 public:
  explicit Page(std::string_view title, std::string_view subtitle = {});

  /// The answer in one line, above everything else. A second call replaces the first.
  Page& verdict(Status status, std::string_view headline, std::string_view explanation = {});
  Page& card(const Card& card);
  /// Starts a section; the reference lives as long as the page.
  Blocks& section(std::string_view heading);
  /// Small print at the end: version, command, date, machine.
  Page& footer(std::string_view text);
  /// Light or dark for good; automatic follows the reader's setting.
  Page& theme(Theme theme);

  /// The whole file. Same calls, same bytes.
  [[nodiscard]] std::string html() const;

 private:
  struct Section {
    std::string heading;
    std::unique_ptr<Blocks> content;
  };
  std::string title_;
  std::string subtitle_;
  std::string verdict_;  ///< markup
  std::vector<Card> cards_;
  std::vector<Section> sections_;
  std::string footer_;
  Theme theme_ = Theme::automatic;
};

}  // namespace xbar::report
