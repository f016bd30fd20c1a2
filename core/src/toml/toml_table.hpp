#pragma once

/// Tables of a TOML file, read key by key, with errors that say where.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <xbar/core/matrix.hpp>

#include "parse_toml.hpp"

namespace xbar {

/// One table. Messages are "net.toml:12:3: key 'kernel': expected ..., found ...", with the line
/// and column of the value, or of the table where the key is missing.
/// A default makes a key optional; without one it is required. All functions throw
/// InvalidArgument.
class TomlTable {
 public:
  /// Both must outlive the object.
  TomlTable(const std::string& file, const toml::table& table) : file_(file), table_(table) {}

  /// "net.toml:12:3: MESSAGE", with the place where the table begins.
  [[noreturn]] void refuse(const std::string& message) const;

  /// Refuses other keys than these; `owner` says whose they are.
  void check_keys(const std::string& owner, const std::vector<std::string>& keys) const;

  [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
  /// Whether the value is this text.
  [[nodiscard]] bool is(std::string_view key, std::string_view text) const;
  /// Whether the value is any text.
  [[nodiscard]] bool is_text(std::string_view key) const;

  [[nodiscard]] std::string text(std::string_view key,
                                 const std::optional<std::string>& otherwise = {}) const;
  /// One of `choices`; suggests the nearest.
  [[nodiscard]] std::string choice(std::string_view key, const std::vector<std::string>& choices,
                                   const std::optional<std::string>& otherwise = {}) const;
  [[nodiscard]] bool flag(std::string_view key, bool otherwise) const;
  [[nodiscard]] double real(std::string_view key, std::optional<double> otherwise = {}) const;
  /// A whole number in [lowest, highest].
  [[nodiscard]] Index whole(std::string_view key, Index lowest, Index highest,
                            std::optional<Index> otherwise = {}) const;
  /// One such number, or a list of two.
  [[nodiscard]] std::pair<Index, Index> whole_pair(std::string_view key, Index lowest,
                                                   Index highest) const;
  /// A list of at least one table; `what` says what each is of.
  [[nodiscard]] std::vector<TomlTable> tables(std::string_view key, const std::string& what) const;
  /// A table; none where the key is missing.
  [[nodiscard]] std::optional<TomlTable> table(std::string_view key) const;
  /// A list of numbers, n x 1, or a list of lists of one length, n x m.
  [[nodiscard]] Matrix numbers(std::string_view key) const;

  /// "...: key 'KEY': expected EXPECTED, found VALUE", and whatever else there is to say.
  [[noreturn]] void refuse_key(std::string_view key, const std::string& expected,
                               const std::string& more = "") const;

 private:
  const std::string& file_;
  const toml::table& table_;
};

}  // namespace xbar
