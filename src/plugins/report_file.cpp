#include "plugins/report_file.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace busbar::plugins {

namespace fs = std::filesystem;

Process this_process() {
  utsname system{};
  return {uname(&system) == 0 ? system.nodename : "", static_cast<int>(getpid())};
}

std::string report_path(const std::string& out, std::string_view kind, const Process& process) {
  const std::string tail = process.host + "-" + std::to_string(process.pid) + ".jsonl";
  std::error_code error;
  if (out.ends_with('/') || fs::is_directory(out, error)) {
    return (fs::path(out) / (std::string(kind) + "-" + tail)).string();
  }
  return out + "-" + tail;
}

ReportFile::ReportFile(const std::string& path, std::string& trouble) {
  std::error_code error;
  const fs::path folder = fs::path(path).parent_path();
  if (!folder.empty()) fs::create_directories(folder, error);
  // Appending: where process numbers come around, an older process's records stay. 'e': not for programs it starts.
  file_.reset(std::fopen(path.c_str(), "ae"));
  if (!file_) trouble = "cannot write '" + path + "': " + std::strerror(errno);
}

void ReportFile::append(const std::string& line) noexcept {
  if (!file_) return;
  std::fwrite(line.data(), 1, line.size(), file_.get());
  std::fflush(file_.get());
}

}  // namespace busbar::plugins
