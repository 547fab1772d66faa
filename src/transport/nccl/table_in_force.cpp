#include "transport/nccl/table_in_force.h"

#include "core/error.h"

namespace busbar::nccl {

TableHolders& TableHolders::of_process() {
  static TableHolders holders;  // as many as the plugin has tables
  return holders;
}

void TableHolders::enter(const Table& table, const std::function<void()>& set) {
  const std::lock_guard lock(mutex_);
  if (holders_ > 0 && table != table_) {
    throw RuntimeError(
        "two groups with ranks in this process make communicators under different algorithms at once, and the tuner "
        "plugin takes one table at a time; accepted with --threads is one after the other");
  }
  if (holders_ == 0) {
    set();
    table_ = table;
  }
  ++holders_;
}

void TableHolders::leave(const std::function<void()>& reset) {
  const std::lock_guard lock(mutex_);
  if (--holders_ == 0) reset();
}

TableInForce::TableInForce(const std::optional<Tuner>& tuner, const TableHolders::Table& table) : tuner_(tuner) {
  if (!tuner_) return;
  TableHolders::of_process().enter(table, [&] {
    if (table) tuner_->set_table(*table);
  });
}

TableInForce::~TableInForce() {
  if (tuner_) TableHolders::of_process().leave([this] { tuner_->reset(); });
}

}  // namespace busbar::nccl
