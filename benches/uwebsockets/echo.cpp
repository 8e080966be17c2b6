// An echo server over uWebSockets, at its best: `echo PORT`.
#include "App.h"

#include <cstdlib>

struct PerSocket {};

int main(int argc, char **argv) {
    int port = argc > 1 ? std::atoi(argv[1]) : 0;
    uWS::App()
        .ws<PerSocket>("/*", {
            .compression = uWS::DISABLED,
            .maxPayloadLength = 64 * 1024 * 1024,
            .idleTimeout = 0,
            .maxBackpressure = 256 * 1024 * 1024,
            .message = [](auto *socket, std::string_view message, uWS::OpCode opcode) { socket->send(message, opcode); },
        })
        .listen("127.0.0.1", port, [](auto *listening) { if (!listening) std::exit(1); })
        .run();
}
