#include "transport/mpi_tool.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "core/error.h"
#include "transport/mpi_handles.h"

namespace busbar::mpi {
namespace {

constexpr std::size_t text_room = 4096;

struct Variable {
  int index = -1;
  MPI_Datatype type = MPI_DATATYPE_NULL;
};

std::optional<Variable> find(const std::string& name) {
  Variable v;
  if (MPI_T_cvar_get_index(name.c_str(), &v.index) != MPI_SUCCESS) return std::nullopt;
  std::array<char, 256> label{};
  int label_length = static_cast<int>(label.size());
  int verbosity = 0;
  int no_text = 0;
  int bind = 0;
  int scope = 0;
  MPI_T_enum values = MPI_T_ENUM_NULL;
  check(MPI_T_cvar_get_info(v.index, label.data(), &label_length, &verbosity, &v.type, &values, nullptr, &no_text,
                            &bind, &scope),
        "MPI_T_cvar_get_info");
  return v;
}

/// A control variable's handle, for one access.
class Access {
 public:
  explicit Access(const std::string& name) {
    const auto found = find(name);
    if (!found) throw UsageError(fmt::format("this MPI has no control variable '{}'", name));
    type = found->type;
    check(MPI_T_cvar_handle_alloc(found->index, nullptr, &handle, &count), "MPI_T_cvar_handle_alloc");
  }
  ~Access() { MPI_T_cvar_handle_free(&handle); }
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;
  Access(Access&&) = delete;
  Access& operator=(Access&&) = delete;

  MPI_T_cvar_handle handle = MPI_T_CVAR_HANDLE_NULL;
  MPI_Datatype type = MPI_DATATYPE_NULL;
  int count = 0;
};

template <class T>
void write_number(const Access& access, const std::string& name, const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw UsageError(fmt::format("variant setting {}='{}' is not a number, which this variable takes", name, text));
  }
  check(MPI_T_cvar_write(access.handle, &value), fmt::format("MPI_T_cvar_write of {}={}", name, text));
}

template <class T>
std::string read_number(const Access& access) {
  T value{};
  check(MPI_T_cvar_read(access.handle, &value), "MPI_T_cvar_read");
  return fmt::format("{}", value);
}

}  // namespace

ToolInterface::ToolInterface() {
  int provided = 0;
  check(MPI_T_init_thread(MPI_THREAD_SINGLE, &provided), "MPI_T_init_thread");
}

ToolInterface::~ToolInterface() { MPI_T_finalize(); }

bool ToolInterface::has_variable(const std::string& name) const { return find(name).has_value(); }

void ToolInterface::write(const std::string& name, const std::string& text) const {
  const Access access(name);
  if (access.type == MPI_CHAR) {
    std::string value = text;
    check(MPI_T_cvar_write(access.handle, value.data()), fmt::format("MPI_T_cvar_write of {}={}", name, text));
  } else if (access.type == MPI_INT || access.type == MPI_C_BOOL) {
    write_number<int>(access, name, text);
  } else if (access.type == MPI_UNSIGNED) {
    write_number<unsigned>(access, name, text);
  } else if (access.type == MPI_UNSIGNED_LONG) {
    write_number<unsigned long>(access, name, text);
  } else if (access.type == MPI_UNSIGNED_LONG_LONG || access.type == MPI_COUNT) {
    write_number<unsigned long long>(access, name, text);
  } else {
    throw UsageError(
        fmt::format("variant setting {} is of a kind that busbar cannot set; it sets numbers and text", name));
  }
}

std::string ToolInterface::read(const std::string& name) const {
  const Access access(name);
  if (access.type == MPI_CHAR) {
    std::string text(std::max(text_room, static_cast<std::size_t>(access.count) + 1), '\0');
    check(MPI_T_cvar_read(access.handle, text.data()), "MPI_T_cvar_read");
    return {text.c_str()};
  }
  if (access.type == MPI_UNSIGNED) return read_number<unsigned>(access);
  if (access.type == MPI_UNSIGNED_LONG) return read_number<unsigned long>(access);
  if (access.type == MPI_UNSIGNED_LONG_LONG || access.type == MPI_COUNT) return read_number<unsigned long long>(access);
  return read_number<int>(access);
}

ScopedVariable::ScopedVariable(const ToolInterface& tool, std::string name, const std::string& value)
    : tool_(tool), name_(std::move(name)), before_(tool.read(name_)) {
  tool_.write(name_, value);
}

ScopedVariable::~ScopedVariable() {
  try {
    tool_.write(name_, before_);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "busbar-bench: could not put {} back to {}: {}\n", name_, before_, problem.what());
  }
}

std::unique_ptr<Operation> under_variables(const Settings& /*variables*/, const OperationSpec& /*spec*/,
                                           std::unique_ptr<Operation> operation) {
  return operation;
}

}  // namespace busbar::mpi
