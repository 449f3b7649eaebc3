#pragma once

namespace couler::lsp {

// Error codes of JSON-RPC and of the protocol.
inline constexpr int kParseError = -32700, kInvalidRequest = -32600, kMethodNotFound = -32601,
                     kInternalError = -32603, kNotInitialized = -32002, kCancelled = -32800,
                     kRequestFailed = -32803;

}  // namespace couler::lsp
