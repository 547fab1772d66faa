// The settings a run really had: from the environment, by an allow-list, and from NCCL's configuration files.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace busbar {

/// Whether a variable belongs into a record. In: NCCL_*, UCX_*, OMPI_MCA_*, SHARP_*, HCOLL_*. Out, always: what looks
/// like a secret by its name (token, secret, password, key, credential, auth; InfiniBand's partition keys go with them)
/// or carries a password in an address. Out as well: OMPI_MCA_ variables by which the launcher tells its processes
/// about themselves (orte_*, ess*, pmix, the working folder, the shared-memory hint): they differ in every launch and
/// nobody chose them.
bool belongs_in_record(std::string_view name, std::string_view value);

/// The variables of `environment` (as `environ`: "NAME=value" texts, ended by null) that belong into a record.
std::map<std::string, std::string> recorded_settings(const char* const* environment);

/// Whether the launcher says that ranks outnumber cores: a waiting rank must then let others run.
bool ranks_share_cores(const char* const* environment);

/// A configuration file of NCCL, reduced to the lines that belong into a record.
struct ConfFile {
  std::string path;
  std::string text;
};

struct ConfSources {
  std::string etc = "/etc";
  /// As NCCL finds it: from the user database, not $HOME. Empty: from there.
  std::string home;
};

/// The files NCCL would read, those that exist, in the order of their precedence: $NCCL_CONF_FILE if set, else
/// ~/.nccl.conf; then /etc/nccl.conf. The environment itself goes before both.
std::vector<ConfFile> nccl_conf_files(const char* const* environment, const ConfSources& sources = {});

}  // namespace busbar
