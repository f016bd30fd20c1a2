#pragma once

/// How long work tells its caller how far it is. The library never prints.

#include <functional>
#include <string>

namespace xbar {

/// A moment of a longer task: `done` of `total` units of `phase`; `note` is a short running figure
/// ("loss 0.213").
struct Progress {
  std::string phase;
  double done = 0;
  double total = 0;
  std::string note;
};

/// Called often, from the thread that started the work. May throw (Interrupted, say): the work
/// stops and the exception passes to the caller. An empty function is never called.
using ProgressCallback = std::function<void(const Progress&)>;

}  // namespace xbar
