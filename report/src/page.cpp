#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/report/page.hpp>
#include <xbar/report/text.hpp>

#include "page_parts.hpp"

namespace xbar::report {
namespace {

std::string_view status_name(Status status) {
  constexpr std::string_view names[] = {"neutral", "good", "warn", "bad"};
  return names[static_cast<std::size_t>(status)];
}

/// A sign that tells the status without its colour, and says it aloud.
std::string icon(Status status) {
  constexpr std::string_view shapes[] = {
      "", R"(<circle cx="8" cy="8" r="7"/><path d="M5 8.3l2.2 2.2L11.2 6"/>)",
      R"(<path d="M8 1.8L15 14H1zM8 6.4v3.4M8 12v.1"/>)",
      R"(<circle cx="8" cy="8" r="7"/><path d="M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6"/>)"};
  constexpr std::string_view spoken[] = {"", "good", "warning", "bad"};
  const auto i = static_cast<std::size_t>(status);
  return status == Status::neutral
             ? ""
             : fmt::format(
                   R"(<svg class="icon" viewBox="0 0 16 16" role="img" aria-label="{}">{}</svg>)",
                   spoken[i], shapes[i]);
}

std::string card_html(const Card& card) {
  std::string out = fmt::format(
      R"(<div class="card s-{}"><dt><span>{}</span>{}</dt><dd class="value">{})",
      status_name(card.status), escape(card.label), icon(card.status), escape(card.value));
  if (!card.unit.empty()) {
    out += fmt::format(R"(<span class="unit">{}</span>)", escape(card.unit));
  }
  out += "</dd>";
  if (!card.explanation.empty()) {
    out += fmt::format(R"(<dd class="why">{}</dd>)", escape(card.explanation));
  }
  return out + "</div>\n";
}

/// A column is numeric if it has a number and nothing else but gaps.
bool numeric_column(const Table& table, std::size_t column) {
  bool any = false;
  for (const std::vector<Cell>& row : table.rows) {
    if (column >= row.size() || row[column].text.empty()) {
      continue;
    }
    if (!row[column].key) {
      return false;
    }
    any = true;
  }
  return any;
}

/// Short texts stay on one line, so that a narrow screen scrolls instead of stacking words.
bool is_short(std::string_view text) {
  constexpr std::size_t bytes = 22;
  return text.size() <= bytes;
}

bool short_column(const Table& table, std::size_t column) {
  return std::all_of(table.rows.begin(), table.rows.end(), [&](const std::vector<Cell>& row) {
    return column >= row.size() || is_short(row[column].text);
  });
}

/// class="a b" from the words that apply, or nothing.
std::string class_attribute(std::initializer_list<std::pair<bool, std::string_view>> words) {
  std::string names;
  for (const auto& [applies, name] : words) {
    if (applies) {
      names.append(names.empty() ? "" : " ").append(name);
    }
  }
  return names.empty() ? names : fmt::format(R"( class="{}")", names);
}

/// "Error by size" -> "error-by-size"; unique among `taken`.
std::string anchor(std::string_view heading, std::set<std::string>& taken) {
  std::string slug;
  for (const char c : heading) {
    const bool digit = c >= '0' && c <= '9';
    const bool lower = c >= 'a' && c <= 'z';
    const bool upper = c >= 'A' && c <= 'Z';
    if (digit || lower || upper) {
      slug += upper ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  while (!slug.empty() && slug.back() == '-') {
    slug.pop_back();
  }
  slug = slug.empty() ? "section" : slug;
  std::string id = slug;
  for (int n = 2; !taken.insert(id).second; ++n) {
    id = fmt::format("{}-{}", slug, n);
  }
  return id;
}

}  // namespace

Cell Cell::number(double value, int digits, Status meaning) {
  Cell cell(format_number(value, digits), meaning);
  cell.key = value;
  return cell;
}

Cell Cell::fixed(double value, int decimals, Status meaning) {
  Cell cell(format_fixed(value, decimals), meaning);
  cell.key = value;
  return cell;
}

Cell Cell::whole(long long value) {
  Cell cell(std::to_string(value));
  if (value < 0) {
    cell.text.replace(0, 1, "\u2212");
  }
  cell.key = static_cast<double>(value);
  return cell;
}

struct Blocks::Block {
  std::string html;                 ///< markup; of `details` the summary only
  bool figure = false;              ///< neighbours share a row
  std::unique_ptr<Blocks> content;  ///< of `details`
};

Blocks::Blocks() = default;
Blocks::~Blocks() = default;

Blocks& Blocks::paragraph(std::string_view text) {
  blocks_.push_back({fmt::format("<p>{}</p>\n", escape(text)), false, nullptr});
  return *this;
}

Blocks& Blocks::figure(std::string_view svg, std::string_view caption, bool full_width) {
  std::string html = fmt::format("<figure{}>{}", full_width ? R"( class="full")" : "", svg);
  if (!caption.empty()) {
    html += fmt::format("<figcaption>{}</figcaption>", escape(caption));
  }
  blocks_.push_back({html + "</figure>\n", true, nullptr});
  return *this;
}

Blocks& Blocks::table(const Table& table) {
  std::vector<bool> numeric(table.header.size());
  std::vector<bool> brief(table.header.size());
  for (std::size_t c = 0; c < numeric.size(); ++c) {
    numeric[c] = numeric_column(table, c);
    brief[c] = short_column(table, c);
  }
  std::string html =
      fmt::format(R"(<div class="table" role="region" tabindex="0" aria-label="{}"><table{}>)",
                  escape(table.caption.empty() ? "Table" : table.caption),
                  table.sortable && table.rows.size() > 1 ? R"( class="sortable")" : "");
  if (!table.caption.empty()) {
    html += fmt::format("<caption>{}</caption>", escape(table.caption));
  }
  html += "<thead><tr>";
  for (std::size_t c = 0; c < table.header.size(); ++c) {
    html += fmt::format(R"(<th scope="col"{}>{}</th>)",
                        class_attribute({{numeric[c], "n"}, {is_short(table.header[c]), "short"}}),
                        escape(table.header[c]));
  }
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const std::vector<Cell>& row = table.rows[r];
    if (row.size() > table.header.size()) {
      throw InvalidArgument(fmt::format("table '{}': row {} has {} cells but the header has {}",
                                        table.caption, r, row.size(), table.header.size()));
    }
    html += "<tr>";
    for (std::size_t c = 0; c < table.header.size(); ++c) {
      const Cell cell = c < row.size() ? row[c] : Cell();
      html += "<td" + class_attribute({{numeric[c], "n"},
                                       {brief[c], "short"},
                                       {cell.status != Status::neutral,
                                        fmt::format("s-{}", status_name(cell.status))}});
      if (cell.key && std::isfinite(*cell.key)) {
        html += fmt::format(R"( data-v="{}")", *cell.key);
      } else if (cell.key && std::isinf(*cell.key)) {
        html += *cell.key > 0 ? R"( data-v="Infinity")" : R"( data-v="-Infinity")";
      }
      html += fmt::format(">{}{}</td>", icon(cell.status), escape(cell.text));
    }
    html += "</tr>\n";
  }
  blocks_.push_back({html + "</tbody></table></div>\n", false, nullptr});
  return *this;
}

Blocks& Blocks::key_values(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string html = "<dl class=\"keys\">\n";
  for (const auto& [key, value] : entries) {
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(key), escape(value));
  }
  if (!entries.empty()) {
    blocks_.push_back({html + "</dl>\n", false, nullptr});
  }
  return *this;
}

Blocks& Blocks::preformatted(std::string_view text) {
  // The parser drops one newline after <pre>.
  blocks_.push_back({fmt::format("<pre>\n{}</pre>\n", escape(text)), false, nullptr});
  return *this;
}

Blocks& Blocks::details(std::string_view summary) {
  blocks_.push_back({escape(summary), false, std::make_unique<Blocks>()});
  return *blocks_.back().content;
}

std::string Blocks::html() const {
  std::string out;
  bool in_row = false;
  for (const Block& block : blocks_) {
    if (block.figure != in_row) {
      out += block.figure ? "<div class=\"figures\">\n" : "</div>\n";
      in_row = block.figure;
    }
    if (block.content) {
      out += fmt::format("<details><summary>{}</summary><div>\n{}</div></details>\n", block.html,
                         block.content->html());
    } else {
      out += block.html;
    }
  }
  return in_row ? out + "</div>\n" : out;
}

Page::Page(std::string_view title, std::string_view subtitle)
    : title_(title), subtitle_(subtitle) {}

Page& Page::verdict(Status status, std::string_view headline, std::string_view explanation) {
  verdict_ = fmt::format(R"(<div class="verdict s-{}" role="status">{}<div><strong>{}</strong>)",
                         status_name(status), icon(status), escape(headline));
  if (!explanation.empty()) {
    verdict_ += fmt::format("<span>{}</span>", escape(explanation));
  }
  verdict_ += "</div></div>\n";
  return *this;
}

Page& Page::card(const Card& card) {
  cards_.push_back(card);
  return *this;
}

Blocks& Page::section(std::string_view heading) {
  sections_.push_back({std::string(heading), std::make_unique<Blocks>()});
  return *sections_.back().content;
}

Page& Page::footer(std::string_view text) {
  footer_ = text;
  return *this;
}

Page& Page::theme(Theme theme) {
  theme_ = theme;
  return *this;
}

std::string Page::html() const {
  constexpr std::string_view themes[] = {"", R"( data-theme="light")", R"( data-theme="dark")"};
  // The policy makes "no network" something the browser enforces.
  std::string out = fmt::format(
      R"(<!DOCTYPE html>
<html lang="en"{}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{}</title>
<style>
{}</style>
</head>
<body>
<div class="page">
<header>
<h1>{}</h1>
)",
      themes[static_cast<std::size_t>(theme_)], escape(title_), page_style, escape(title_));
  if (!subtitle_.empty()) {
    out += fmt::format("<p class=\"subtitle\">{}</p>\n", escape(subtitle_));
  }
  out += "<button class=\"theme\" type=\"button\" hidden>Dark</button>\n</header>\n<main>\n";
  out += verdict_;
  if (!cards_.empty()) {
    // As few rows of at most five as will do, all equally full.
    const std::size_t rows = (cards_.size() + 4) / 5;
    out += fmt::format("<dl class=\"cards\" style=\"--columns:{}\">\n",
                       (cards_.size() + rows - 1) / rows);
    for (const Card& card : cards_) {
      out += card_html(card);
    }
    out += "</dl>\n";
  }
  std::set<std::string> taken;
  std::vector<std::string> ids;
  for (const Section& section : sections_) {
    ids.push_back(anchor(section.heading, taken));
  }
  constexpr std::size_t worth_contents = 3;
  if (sections_.size() >= worth_contents) {
    out += "<nav class=\"toc\" aria-label=\"Contents\"><ol>\n";
    for (std::size_t i = 0; i < sections_.size(); ++i) {
      out += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", ids[i], escape(sections_[i].heading));
    }
    out += "</ol></nav>\n";
  }
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    out += fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", ids[i],
                       escape(sections_[i].heading), sections_[i].content->html());
  }
  out += "</main>\n";
  if (!footer_.empty()) {
    out += fmt::format("<footer>{}</footer>\n", escape(footer_));
  }
  out += fmt::format("</div>\n<script>\n{}</script>\n</body>\n</html>\n", page_script);
  return out;
}

}  // namespace xbar::report
