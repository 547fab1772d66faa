#include "observe/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "observe/file.h"

namespace busbar {
namespace {

constexpr std::array<std::string_view, 7> allowed_prefixes{"NCCL_",  "UCX_",   "UCC_",     "OMPI_MCA_",
                                                           "SHARP_", "HCOLL_", "OMPI_UCC_"};

constexpr std::array<std::string_view, 8> secret_words{"TOKEN", "SECRET",     "PASSWORD", "PASSWD",
                                                       "KEY",   "CREDENTIAL", "AUTH",     "PRIVATE"};

// What mpirun of Open MPI 4 sets by itself, seen with `mpirun -n 1 env`. "ess" also covers ess_base_jobid and its like.
constexpr std::array<std::string_view, 5> launcher_prefixes{
    "OMPI_MCA_orte_", "OMPI_MCA_ess", "OMPI_MCA_pmix", "OMPI_MCA_initial_wdir", "OMPI_MCA_shmem_RUNTIME_QUERY_hint"};

template <std::size_t N>
bool begins_with_any(std::string_view name, const std::array<std::string_view, N>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view p) { return name.starts_with(p); });
}

bool looks_secret(std::string_view name) {
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return std::any_of(secret_words.begin(), secret_words.end(),
                     [&](std::string_view word) { return upper.find(word) != std::string::npos; });
}

// "scheme://user:password@host"
bool carries_password(std::string_view value) {
  const std::size_t scheme = value.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = value.substr(scheme + 3);
  const std::size_t at = rest.find('@');
  return at != std::string_view::npos && rest.substr(0, at).find(':') != std::string_view::npos;
}

struct Setting {
  std::string_view name;
  std::string_view value;
};

std::optional<Setting> split(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  return Setting{text.substr(0, equals), text.substr(equals + 1)};
}

std::optional<std::string> value_of(const char* const* environment, std::string_view name) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const auto setting = split(*environment);
    if (setting && setting->name == name) return std::string(setting->value);
  }
  return std::nullopt;
}

std::string home_folder() {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> strings{};
  if (getpwuid_r(getuid(), &entry, strings.data(), strings.size(), &found) != 0 || found == nullptr) return {};
  return found->pw_dir;
}

// NCCL_CONF_FILE may name any file: only lines that are settings of ours leave it.
std::string recorded_lines(std::string_view text) {
  std::string kept;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto setting = split(line);
    if (!setting || !belongs_in_record(setting->name, setting->value)) continue;
    kept += line;
    kept += '\n';
  }
  return kept;
}

}  // namespace

bool belongs_in_record(std::string_view name, std::string_view value) {
  return begins_with_any(name, allowed_prefixes) && !begins_with_any(name, launcher_prefixes) && !looks_secret(name) &&
         !carries_password(value);
}

std::map<std::string, std::string> recorded_settings(const char* const* environment) {
  std::map<std::string, std::string> settings;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const auto setting = split(*environment);
    if (setting && belongs_in_record(setting->name, setting->value)) settings.emplace(setting->name, setting->value);
  }
  return settings;
}

bool ranks_share_cores(const char* const* environment) {
  return value_of(environment, "OMPI_MCA_mpi_yield_when_idle") == "1";
}

std::vector<ConfFile> nccl_conf_files(const char* const* environment, const ConfSources& sources) {
  std::vector<std::string> paths;
  const auto chosen = value_of(environment, "NCCL_CONF_FILE");
  const std::string home = sources.home.empty() ? home_folder() : sources.home;
  if (chosen && !chosen->empty()) {
    paths.push_back(*chosen);
  } else if (!home.empty()) {
    paths.push_back(home + "/.nccl.conf");
  }
  paths.push_back(sources.etc + "/nccl.conf");
  std::vector<ConfFile> files;
  for (const std::string& path : paths) {
    if (const auto text = read_text(path)) files.push_back({path, recorded_lines(*text)});
  }
  return files;
}

}  // namespace busbar
