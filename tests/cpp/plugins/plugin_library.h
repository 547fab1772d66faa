// A plugin loaded as NCCL loads it.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace busbar::plugins::test {

/// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "busbar-plugins-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A copy of its own, since one file is loaded once in a process and never unloaded: every test begins anew.
class PluginLibrary {
 public:
  explicit PluginLibrary(const char* file) : path_((folder_.path() / "plugin.so").string()) {
    std::filesystem::copy_file(file, path_);
    handle_ = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
    EXPECT_NE(handle_, nullptr) << dlerror();
  }

  /// Null where it has no such symbol.
  template <typename T>
  T* symbol(const char* name) const {
    return reinterpret_cast<T*>(dlsym(handle_, name));
  }
  const std::string& path() const { return path_; }
  void close() { dlclose(handle_); }

 private:
  TemporaryFolder folder_;
  std::string path_;
  void* handle_ = nullptr;
};

/// An environment variable while the test runs.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) { setenv(name, value.c_str(), 1); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace busbar::plugins::test
