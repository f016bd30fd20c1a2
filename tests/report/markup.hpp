#pragma once

/// A tiny checker of SVG and of the HTML that xbar writes.

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace xbar_test {

/// What is wrong with the nesting of tags and the quoting of attributes; empty if nothing. `void
/// elements` of HTML (meta) need no end; contents of <style> and <script> are skipped.
inline std::string markup_fault(std::string_view text) {
  std::vector<std::string> open;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '&') {
      const std::size_t end = text.find(';', i);
      if (end == std::string_view::npos || end - i > 8) {
        return "bare & at " + std::to_string(i);
      }
    }
    if (text[i] == '>') {
      return "bare > at " + std::to_string(i);
    }
    if (text[i] != '<') {
      ++i;
      continue;
    }
    if (text.substr(i, 9) == "<!DOCTYPE") {
      i = text.find('>', i) + 1;
      continue;
    }
    std::size_t end = i + 1;
    char quote = 0;
    for (; end < text.size() && (quote != 0 || text[end] != '>'); ++end) {
      const char c = text[end];
      if (quote == 0 && c == '<') {
        return "< within a tag at " + std::to_string(end);
      }
      if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else if (c == quote) {
        quote = 0;
      }
    }
    if (end >= text.size()) {
      return "tag without end at " + std::to_string(i);
    }
    const std::string_view tag = text.substr(i + 1, end - i - 1);
    i = end + 1;
    const bool closing = tag.starts_with('/');
    const std::string name(
        tag.substr(closing ? 1 : 0, tag.find_first_of(" /\n", 1) - (closing ? 1 : 0)));
    if (closing) {
      if (open.empty() || open.back() != name) {
        return "</" + name + "> closes " + (open.empty() ? "nothing" : "<" + open.back() + ">");
      }
      open.pop_back();
    } else if (!tag.ends_with('/') && name != "meta") {
      open.push_back(name);
      if (name == "style" || name == "script") {
        i = text.find("</" + name + ">", i);
        if (i == std::string_view::npos) {
          return "<" + name + "> without end";
        }
      }
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> is not closed";
}

inline std::size_t count(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + 1)) {
    ++n;
  }
  return n;
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The first address outside the file that a reader would load or follow; empty if none.
/// The namespace of SVG is a name, not an address.
inline std::string outside_reference(std::string text) {
  const std::string name = R"(xmlns="http://www.w3.org/2000/svg")";
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
    text.erase(at, name.size());
  }
  for (const char* scheme :
       {"http:", "https:", "ftp:", "src=", "@import", "url(", "<link", "href=\"//"}) {
    if (const std::size_t at = text.find(scheme); at != std::string::npos) {
      return text.substr(at, 60);
    }
  }
  return {};
}

/// Whether "nan" or "inf" stands as a number anywhere in attributes that hold coordinates.
inline bool has_bad_coordinate(std::string_view svg) {
  for (const std::string_view attribute :
       {" d=\"", " x=\"", " y=\"", " cx=\"", " cy=\"", " width=\"", " height=\"", " viewBox=\"",
        " data-lo=\"", " data-hi=\""}) {
    for (std::size_t at = svg.find(attribute); at != std::string_view::npos;
         at = svg.find(attribute, at + 1)) {
      const std::size_t start = at + attribute.size();
      const std::string_view value = svg.substr(start, svg.find('"', start) - start);
      if (contains(value, "nan") || contains(value, "inf") || value.empty()) {
        return true;
      }
    }
  }
  return false;
}

/// Numbers of every occurrence of attribute="number".
inline std::vector<double> attribute_values(std::string_view svg, const std::string& attribute) {
  std::vector<double> values;
  const std::string key = " " + attribute + "=\"";
  for (std::size_t at = svg.find(key); at != std::string_view::npos; at = svg.find(key, at + 1)) {
    const std::size_t start = at + key.size();
    values.push_back(
        std::strtod(std::string(svg.substr(start, svg.find('"', start) - start)).c_str(), nullptr));
  }
  return values;
}

}  // namespace xbar_test
