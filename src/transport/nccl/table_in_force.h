// The tuner's table while communicators are made. The plugin has one for the whole process, and ranks may be threads of
// it: the first of them that makes a communicator sets the table, the last one that has made its own takes it back.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "transport/nccl/plugin.h"

namespace busbar::nccl {

/// Those who make communicators now; all want one table. No lock is held while they do: NCCL lets each go on only when
/// all of its group have come.
class TableHolders {
 public:
  using Table = std::optional<std::string>;  ///< none: every choice as the launch said

  static TableHolders& of_process();

  /// `set` is called for the first, before any other gets in.
  /// @throws RuntimeError where the others have another table: to wait for them could be to wait for oneself, by way of
  /// another process.
  void enter(const Table& table, const std::function<void()>& set);
  /// `reset` is called for the last.
  void leave(const std::function<void()>& reset);

 private:
  std::mutex mutex_;
  int holders_ = 0;
  Table table_;  ///< theirs
};

/// While it lives, communicators are made with `table`. Nothing where there is no tuner.
class TableInForce {
 public:
  /// `tuner` must outlive it, and is there where `table` is.
  TableInForce(const std::optional<Tuner>& tuner, const TableHolders::Table& table);
  ~TableInForce();
  TableInForce(const TableInForce&) = delete;
  TableInForce& operator=(const TableInForce&) = delete;
  TableInForce(TableInForce&&) = delete;
  TableInForce& operator=(TableInForce&&) = delete;

 private:
  const std::optional<Tuner>& tuner_;
};

}  // namespace busbar::nccl
