#include "plugins/tuner/tables.h"

#include <cstdlib>
#include <utility>

namespace busbar::plugins {

Tables& Tables::of_process() {
  static Tables* const tables = new Tables;
  return *tables;
}

std::shared_ptr<const Table> Tables::current(nccl_abi::Logger logger) {
  const std::lock_guard lock(mutex_);
  if (from_program_) return from_program_;
  if (!std::exchange(file_read_, true)) read_file(logger);
  return from_file_;
}

void Tables::set(std::shared_ptr<const Table> table) {
  const std::lock_guard lock(mutex_);
  from_program_ = std::move(table);
}

void Tables::read_file(nccl_abi::Logger logger) {
  const char* path = std::getenv("BUSBAR_TUNER_TABLE");
  if (path == nullptr || *path == '\0') return;
  try {
    from_file_ = std::make_shared<const Table>(read_table(path));
    if (logger == nullptr) return;
    const std::string purpose = from_file_->made_for.empty() ? "" : ", made for " + from_file_->made_for;
    logger(nccl_abi::log_info, nccl_abi::log_tuning, __FILE__, __LINE__, "TUNER/Busbar: %zu rows from '%s'%s",
           from_file_->rows.size(), path, purpose.c_str());
  } catch (const MalformedTable& malformed) {
    if (logger == nullptr) return;
    logger(nccl_abi::log_warning, nccl_abi::log_tuning, __FILE__, __LINE__,
           "TUNER/Busbar: BUSBAR_TUNER_TABLE='%s' is left out: %s", path, malformed.what());
  }
}

}  // namespace busbar::plugins
