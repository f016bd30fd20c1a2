#include "svg_writer.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/report/text.hpp>

#include "colour.hpp"
#include "text_layout.hpp"

namespace xbar::report {
namespace {

// Each variable falls back to the light theme, so a plot also stands alone. The plain colour before
// the variable is for readers that know no variables.
constexpr std::string_view style =
    ".xb text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica "
    "Neue',Arial,sans-serif;"
    "font-variant-numeric:tabular-nums;stroke:none;fill:#1c2128;fill:var(--xb-ink,#1c2128)}"
    ".xb .xb-title{font-size:14px;font-weight:600}"
    ".xb .xb-muted{fill:#5b6470;fill:var(--xb-muted,#5b6470)}"
    ".xb .xb-small{font-size:11px}"
    ".xb .xb-on-bright{fill:#14181d}.xb .xb-on-dark{fill:#fff}"
    ".xb .xb-halo{paint-order:stroke;stroke:#fff;stroke:var(--xb-surface,#fff);stroke-width:4px;"
    "stroke-linejoin:round}"
    ".xb-grid,.xb-minor,.xb-axis,.xb-ref,.xb-frame{fill:none;stroke:#e3e6ea;"
    "stroke:var(--xb-grid,#e3e6ea)}"
    ".xb-minor{opacity:.55}"
    ".xb-axis,.xb-frame{stroke:#8a93a0;stroke:var(--xb-axis,#8a93a0)}"
    ".xb-ref{stroke:#5b6470;stroke:var(--xb-muted,#5b6470);stroke-dasharray:2 3}"
    ".xb-port{stroke:none;fill:#5b6470;fill:var(--xb-muted,#5b6470)}"
    ".xb-s{fill:var(--c);stroke:var(--c)}"
    ".xb-line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    ".xb-dash{stroke-dasharray:6 4;stroke-linecap:butt}"
    ".xb-band{stroke:none;fill-opacity:.16}"
    ".xb-lead{fill:none;stroke-width:1;opacity:.6}.xb-far{stroke-dasharray:1 4}"
    ".xb-mark{stroke:#fff;stroke:var(--xb-surface,#fff);stroke-width:1.25}"
    ".xb-bar{stroke:none}"
    ".xb-whisker{fill:none;stroke:#1c2128;stroke:var(--xb-ink,#1c2128);stroke-width:1.25}"
    ".xb-hit{fill:none;stroke:none;pointer-events:all}"
    ".xb .xb-name{fill:var(--c);font-weight:600}";

}  // namespace

std::string px(double value) {
  // A point far outside a clipped range still needs a sane coordinate.
  std::string text = fmt::format("{:.2f}", std::clamp(value, -1e5, 1e5));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') {
    text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

SvgWriter::SvgWriter(double width, double height, std::string_view label) {
  open("svg", fmt::format(R"(xmlns="http://www.w3.org/2000/svg" class="xb" role="img" )"
                          R"(aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}")",
                          escape(label), px(width), px(height), px(width), px(height)));
  out_ += fmt::format("<style>{}</style>\n", style);
}

void SvgWriter::open(std::string_view tag, std::string_view attributes) {
  out_ += fmt::format("<{}{}{}>", tag, attributes.empty() ? "" : " ", attributes);
  open_.emplace_back(tag);
}

void SvgWriter::close() {
  out_ += fmt::format("</{}>\n", open_.back());
  open_.pop_back();
}

void SvgWriter::element(std::string_view tag, std::string_view attributes) {
  out_ += fmt::format("<{} {}/>\n", tag, attributes);
}

void SvgWriter::line(Point from, Point to, std::string_view css_class) {
  element("path", fmt::format(R"(class="{}" d="M{} {}L{} {}")", css_class, px(from.x), px(from.y),
                              px(to.x), px(to.y)));
}

void SvgWriter::path(std::string_view data, std::string_view css_class) {
  element("path", fmt::format(R"(class="{}" d="{}")", css_class, data));
}

void SvgWriter::rect(Point corner, double width, double height, std::string_view attributes) {
  element("rect", fmt::format(R"(x="{}" y="{}" width="{}" height="{}" {})", px(corner.x),
                              px(corner.y), px(width), px(height), attributes));
}

void SvgWriter::text(Point base, std::string_view content, std::string_view css_class,
                     Anchor anchor) {
  constexpr std::string_view anchors[] = {"", R"( text-anchor="middle")", R"( text-anchor="end")"};
  out_ += fmt::format(R"(<text x="{}" y="{}"{}{}>{}</text>)", px(base.x), px(base.y),
                      css_class.empty() ? "" : fmt::format(R"( class="{}")", css_class),
                      anchors[static_cast<std::size_t>(anchor)], escape(content));
  out_ += '\n';
}

void SvgWriter::tooltip(std::string_view content) {
  out_ += fmt::format("<title>{}</title>", escape(content));
}

void SvgWriter::marker(Point centre, std::size_t slot) {
  const double x = centre.x;
  const double y = centre.y;
  const auto polygon = [&](std::initializer_list<Point> corners) {
    std::string data;
    for (const Point& c : corners) {
      data += fmt::format("{}{} {}", data.empty() ? 'M' : 'L', px(x + c.x), px(y + c.y));
    }
    path(data + "Z", "xb-mark");
  };
  switch (slot) {
    case 1:
      polygon({{-3.4, -3.4}, {3.4, -3.4}, {3.4, 3.4}, {-3.4, 3.4}});
      break;
    case 2:
      polygon({{0, -4.6}, {4.4, 3.4}, {-4.4, 3.4}});
      break;
    case 3:
      polygon({{0, -4.9}, {4.9, 0}, {0, 4.9}, {-4.9, 0}});
      break;
    case 4:
      polygon({{0, 4.6}, {4.4, -3.4}, {-4.4, -3.4}});
      break;
    case 5:
      polygon({{-4.4, 1.5}, {0, -4.6}, {4.4, 1.5}, {2.8, 4.2}, {-2.8, 4.2}});
      break;
    case 6:  // plus
      polygon({{-1.6, -4.8},
               {1.6, -4.8},
               {1.6, -1.6},
               {4.8, -1.6},
               {4.8, 1.6},
               {1.6, 1.6},
               {1.6, 4.8},
               {-1.6, 4.8},
               {-1.6, 1.6},
               {-4.8, 1.6},
               {-4.8, -1.6},
               {-1.6, -1.6}});
      break;
    case 7:  // cross
      polygon({{0, -2.3},
               {2.6, -4.9},
               {4.9, -2.6},
               {2.3, 0},
               {4.9, 2.6},
               {2.6, 4.9},
               {0, 2.3},
               {-2.6, 4.9},
               {-4.9, 2.6},
               {-2.3, 0},
               {-4.9, -2.6},
               {-2.6, -4.9}});
      break;
    default:
      element("circle", fmt::format(R"(class="xb-mark" cx="{}" cy="{}" r="3.8")", px(x), px(y)));
  }
}

std::string SvgWriter::finish() {
  while (!open_.empty()) {
    close();
  }
  return std::move(out_);
}

double draw_title(SvgWriter& svg, std::string_view title, double x, double width) {
  double y = 0;
  if (!title.empty()) {
    for (const std::string& line : wrap_text(title, 14 * bold, width - x, 3)) {
      svg.text({x, y + 14}, line, "xb-title");
      y += 19;
    }
    y += 3;
  }
  return y;
}

double draw_legend(SvgWriter& svg, const std::vector<LegendEntry>& entries, Point corner,
                   double width) {
  double x = corner.x;
  double y = corner.y;
  for (const LegendEntry& entry : entries) {
    const bool narrow = entry.sample == Sample::bar || entry.sample == Sample::dot;
    const double sample = narrow ? 18 : 26;
    const double name_room = width - sample - 2;
    const std::string name = wrap_text(entry.name, 12, name_room, 1).front();
    const double needed = sample + text_width(name, 12) + 16;
    if (x > corner.x && x + needed - 16 > corner.x + width) {
      x = corner.x;
      y += 18;
    }
    svg.open("g", colour_attributes(entry.slot));
    if (entry.sample == Sample::bar) {
      svg.rect({x, y + 3}, 12, 10, R"(class="xb-bar" rx="1.5")");
    } else {
      if (entry.sample != Sample::dot) {
        const bool dashed = entry.sample == Sample::dashed_line;
        svg.line({x, y + 8}, {x + 20, y + 8}, dashed ? "xb-line xb-dash" : "xb-line");
      }
      svg.marker({entry.sample == Sample::dot ? x + 6 : x + 10, y + 8}, entry.slot);
    }
    svg.close();
    svg.text({x + sample, y + 12}, name, "");
    x += needed;
  }
  return entries.empty() ? corner.y : y + 22;
}

}  // namespace xbar::report
