#include "fakes/nccl/fault.h"

#include <cstdlib>
#include <string>

namespace busbar::nccl::fake {
namespace {

std::string fault() {
  const char* const text = std::getenv("BUSBAR_FAKE_NCCL_FAULT");
  return text == nullptr ? "" : text;
}

}  // namespace

bool has_fault(std::string_view kind) { return fault() == kind; }

bool has_fault(std::string_view kind, int rank) { return fault() == std::string{kind} + ':' + std::to_string(rank); }

int version() {
  const char* const text = std::getenv("BUSBAR_FAKE_NCCL_VERSION");
  return text == nullptr ? 22809 : std::stoi(text);
}

}  // namespace busbar::nccl::fake
