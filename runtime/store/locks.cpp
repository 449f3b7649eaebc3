#include "runtime/store/locks.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>

namespace couler::runtime {
namespace {

struct flock oneByte(std::uint64_t byte, short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(byte);
  lock.l_len = 1;
  return lock;
}

}  // namespace

int LockFile::open(const std::string& path) {
  fd_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  return fd_.valid() ? 0 : errno;
}

bool LockFile::tryLock(std::uint64_t byte) {
  struct flock lock = oneByte(byte, F_WRLCK);
  // A file system without locks (ENOLCK, EINVAL) has no second run to keep out either: go on.
  return fcntl(fd_.get(), F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

void LockFile::lock(std::uint64_t byte) {
  struct flock lock = oneByte(byte, F_WRLCK);
  while (fcntl(fd_.get(), F_OFD_SETLKW, &lock) != 0 && errno == EINTR) {
  }
}

void LockFile::lockShared(std::uint64_t byte) {
  struct flock lock = oneByte(byte, F_RDLCK);
  while (fcntl(fd_.get(), F_OFD_SETLKW, &lock) != 0 && errno == EINTR) {
  }
}

void LockFile::unlock(std::uint64_t byte) {
  struct flock lock = oneByte(byte, F_UNLCK);
  fcntl(fd_.get(), F_OFD_SETLK, &lock);
}

bool LockFile::heldElsewhere(std::uint64_t byte) const {
  struct flock lock = oneByte(byte, F_WRLCK);
  return fcntl(fd_.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

std::uint64_t lockByte(const Digest& key) {
  std::uint64_t byte = 0;
  std::memcpy(&byte, key.bytes.data(), sizeof byte);
  return byte >> 2;  // off_t is signed, and start + length must fit
}

}  // namespace couler::runtime
