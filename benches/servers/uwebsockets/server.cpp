// A server over uWebSockets, at its best: `server echo|deflate|takeover|broadcast PORT`.
#include "App.h"

#include <cstdlib>
#include <string_view>

struct PerSocket {};

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    std::string_view mode = argv[1];
    uint16_t compression = uWS::DISABLED;
    if (mode == "deflate") compression = uWS::SHARED_COMPRESSOR | uWS::SHARED_DECOMPRESSOR;
    if (mode == "takeover") compression = uWS::DEDICATED_COMPRESSOR | uWS::DEDICATED_DECOMPRESSOR;
    bool compressed = compression != uWS::DISABLED, broadcast = mode == "broadcast";
    uWS::App app;
    app.ws<PerSocket>("/*", {
           .compression = static_cast<uWS::CompressOptions>(compression),
           .maxPayloadLength = 64 * 1024 * 1024,
           .idleTimeout = 0,
           .maxBackpressure = 256 * 1024 * 1024,
           .open = [broadcast](auto *socket) { if (broadcast) socket->subscribe("all"); },
           .message = [&app, compressed, broadcast](auto *socket, std::string_view message, uWS::OpCode opcode) {
               if (broadcast) app.publish("all", message, opcode);
               else socket->send(message, opcode, compressed);
           },
       })
        .listen("127.0.0.1", std::atoi(argv[2]), [](auto *listening) { if (!listening) std::exit(1); })
        .run();
}
