/*
 * martlet.h: a WebSocket connection (RFC 6455), either end of it, as a state machine. It does no I/O, reads no clock and allocates
 * nothing: octets and time come in as arguments, events and octets go out.
 *
 *   martlet_settings_default, martlet_config_init            once
 *   martlet_server_init or martlet_client_init               for each connection
 *   martlet_receive, until it says MARTLET_CODE_MORE         whenever the transport has brought something
 *   write out what lies in the output                        after each round of calls
 *   martlet_tick                                             when martlet_poll_timeout says so
 *   martlet_eof                                              when the transport has ended
 *
 * Every function answers NULL where there must be something, storage that was not initialised, and calls at the wrong time with an
 * error code, and has done nothing then. What it cannot tell, the caller sees to: a pointer that is not NULL points to as much
 * memory as the length beside it says, which nobody else writes to meanwhile; two threads do not use one connection at once. Pointers in
 * a structure that was never filled in are not NULL.
 *
 * This file is made from the crate martlet-c by cbindgen; changes belong there.
 */

#ifndef MARTLET_H
#define MARTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The size of martlet_connection, in octets.
#define MARTLET_CONNECTION_SIZE 160

// The alignment of martlet_connection, in octets.
#define MARTLET_CONNECTION_ALIGN 8

// What martlet_poll_timeout answers if nothing is due.
#define MARTLET_NEVER UINT64_MAX

// Room in the output that is always enough for martlet_receive and martlet_tick, in octets.
#define MARTLET_MIN_OUTPUT 512

// How many headers of the caller's a request or an answer has at most.
#define MARTLET_MAX_HEADERS 16

// How many subprotocols a configuration holds at most.
#define MARTLET_MAX_SUBPROTOCOLS 8

// The size of martlet_config, in octets.
#define MARTLET_CONFIG_SIZE 256

// The alignment of martlet_config, in octets.
#define MARTLET_CONFIG_ALIGN 8

// Where a connection stands.
typedef enum {
    // There is no connection in this storage, or it is in a call.
    MARTLET_STATE_NONE = 0,
    // The transport is there; nothing of the handshake has been said.
    MARTLET_STATE_CONNECTION = 1,
    // The opening handshake is under way (RFC 6455 section 4).
    MARTLET_STATE_HANDSHAKE = 2,
    // Frames may go both ways (section 5).
    MARTLET_STATE_ACTIVE = 3,
    // One Close has gone or come, the other has not (section 7).
    MARTLET_STATE_CLOSING = 4,
    // Nothing more is sent or delivered: write out what lies in the output, and close the transport.
    MARTLET_STATE_CLOSED = 5,
} martlet_state;

// What a function answers. 0 to 99: no fault. 100 to 199: the caller's, and nothing was done. From 200 on: the peer's; the
// connection is closed, and what is to be said to the peer is in the output. Numbers keep their meaning; later versions may add some.
typedef enum {
    // It is done; martlet_receive has an event.
    MARTLET_CODE_OK = 0,
    // Nothing more can be told from what has come: read behind what is left of the input.
    MARTLET_CODE_MORE = 1,
    // Nothing was done, because the answer might not fit: write out what is in the output and call again. `wanted`
    // says how much room is enough.
    MARTLET_CODE_NO_ROOM = 2,
    // The handshake took too long. The connection is closed; what is to be said is in the output.
    MARTLET_CODE_EXPIRED_HANDSHAKE = 10,
    // Nothing came after the Ping of the heartbeat. The connection is closed; what is to be said is in the output.
    MARTLET_CODE_EXPIRED_PONG = 11,
    // The peer's Close did not come in time. The connection is closed.
    MARTLET_CODE_EXPIRED_CLOSE = 12,
    // The source of random octets failed. The connection is closed, and nothing of this call is in the output: it
    // would be without a good masking key.
    MARTLET_CODE_RANDOM_FAILED = 13,
    // A pointer is NULL that must not be.
    MARTLET_CODE_MISUSE_NULL = 100,
    // The storage is too small or misaligned: the header and the library do not belong together, or a pointer is
    // wrong.
    MARTLET_CODE_MISUSE_STORAGE = 101,
    // The storage holds no connection, or no configuration, or a configuration that was moved.
    MARTLET_CODE_MISUSE_NOT_INITIALISED = 102,
    // This connection is in a call already: the source of random octets called back into it, or another thread uses
    // it.
    MARTLET_CODE_MISUSE_BUSY = 103,
    // A length makes no sense: more is written than there is room, or it is greater than an object can be.
    MARTLET_CODE_MISUSE_LENGTH = 104,
    // The output lies over the input or over the payload.
    MARTLET_CODE_MISUSE_OVERLAP = 105,
    // A server does this, and this is a client.
    MARTLET_CODE_MISUSE_ROLE = 106,
    // A text, a close reason or a part of a head is not UTF-8.
    MARTLET_CODE_MISUSE_UTF8 = 107,
    // This is neither MARTLET_KIND_TEXT nor MARTLET_KIND_BINARY.
    MARTLET_CODE_MISUSE_KIND = 108,
    // More headers or subprotocols than there is room for.
    MARTLET_CODE_MISUSE_TOO_MANY = 109,
    // A setting makes no sense.
    MARTLET_CODE_MISUSE_CONFIG = 110,
    // This is not done in this state: for one, nothing is sent after our Close.
    MARTLET_CODE_MISUSE_STATE = 111,
    // There is no request to answer, or it asks for no WebSocket.
    MARTLET_CODE_MISUSE_NO_UPGRADE = 112,
    // A message of ours is open: its fragments come first.
    MARTLET_CODE_MISUSE_MESSAGE_OPEN = 113,
    // A fragment of the other kind than its message.
    MARTLET_CODE_MISUSE_KIND_CHANGED = 114,
    // The body of a Ping or Pong has more than 125 octets.
    MARTLET_CODE_MISUSE_CONTROL_TOO_LONG = 115,
    // This close code must not be sent (RFC 6455 section 7.4).
    MARTLET_CODE_MISUSE_CLOSE_CODE = 116,
    // The close reason has more than 123 octets, or stands there without a code.
    MARTLET_CODE_MISUSE_CLOSE_REASON = 117,
    // A header's name is not a token.
    MARTLET_CODE_MISUSE_HEADER_NAME = 118,
    // A header's value holds a control octet.
    MARTLET_CODE_MISUSE_HEADER_VALUE = 119,
    // A header is there that is written by itself, or that must not be here.
    MARTLET_CODE_MISUSE_HEADER_RESERVED = 120,
    // The status of a response is not between 200 and 599.
    MARTLET_CODE_MISUSE_STATUS = 121,
    // A response of this status has no body.
    MARTLET_CODE_MISUSE_BODY = 122,
    // The host is no host with perhaps a port.
    MARTLET_CODE_MISUSE_HOST = 123,
    // The target does not begin with "/", or holds what a target may not.
    MARTLET_CODE_MISUSE_TARGET = 124,
    // The origin is no origin.
    MARTLET_CODE_MISUSE_ORIGIN = 125,
    // A subprotocol is not a token, or is there twice.
    MARTLET_CODE_MISUSE_SUBPROTOCOL = 126,
    // This begins with no request line.
    MARTLET_CODE_MISUSE_NO_REQUEST = 127,
    // The caller asked for what is not allowed, in a way that has no name here yet.
    MARTLET_CODE_MISUSE_OTHER = 199,
    // RFC 6455 section 5.2, RFC 7692 section 6.1: a reserved bit is set that no negotiated extension claims, or
    // RSV1 where compression does not put it: on a control frame, or on a continuation.
    MARTLET_CODE_VIOLATION_RSV_UNCLAIMED = 200,
    // RFC 6455 section 5.2: an opcode that is reserved for later.
    MARTLET_CODE_VIOLATION_OPCODE_RESERVED = 201,
    // RFC 6455 section 5.1: a client's frame came without a mask.
    MARTLET_CODE_VIOLATION_MASK_MISSING = 202,
    // RFC 6455 section 5.1: a server's frame came with a mask.
    MARTLET_CODE_VIOLATION_MASK_FORBIDDEN = 203,
    // RFC 6455 section 5.2: a 64-bit length has its most significant bit set.
    MARTLET_CODE_VIOLATION_LENGTH_TOP_BIT = 204,
    // RFC 6455 section 5.2: a length is not in its shortest form.
    MARTLET_CODE_VIOLATION_LENGTH_NOT_MINIMAL = 205,
    // RFC 6455 section 5.5: a control frame has FIN clear.
    MARTLET_CODE_VIOLATION_CONTROL_FRAGMENTED = 206,
    // RFC 6455 section 5.5: a control frame announces more than 125 octets.
    MARTLET_CODE_VIOLATION_CONTROL_TOO_LONG = 207,
    // RFC 6455 section 5.4: a continuation came while no message was open.
    MARTLET_CODE_VIOLATION_CONTINUATION_UNEXPECTED = 208,
    // RFC 6455 section 5.4: a new message began while another was open.
    MARTLET_CODE_VIOLATION_CONTINUATION_EXPECTED = 209,
    // RFC 6455 section 10.4: a frame longer than our limit.
    MARTLET_CODE_VIOLATION_FRAME_TOO_BIG = 210,
    // RFC 6455 section 10.4: a message longer than our limit.
    MARTLET_CODE_VIOLATION_MESSAGE_TOO_BIG = 211,
    // RFC 6455 section 8.1: a text message is not UTF-8.
    MARTLET_CODE_VIOLATION_UTF8_INVALID = 212,
    // RFC 6455 section 5.5.1: a Close body of one octet.
    MARTLET_CODE_VIOLATION_CLOSE_BODY_TOO_SHORT = 213,
    // RFC 6455 section 7.4: a close code that must not travel, or that nobody may use.
    MARTLET_CODE_VIOLATION_CLOSE_CODE_INVALID = 214,
    // RFC 6455 section 5.5.1: a close reason is not UTF-8.
    MARTLET_CODE_VIOLATION_CLOSE_REASON_INVALID = 215,
    // RFC 6455 section 10.4: more empty fragments in a row than our limit.
    MARTLET_CODE_VIOLATION_TOO_MANY_EMPTY_FRAGMENTS = 216,
    // RFC 6455 section 10.4: more control frames in a second than our limit.
    MARTLET_CODE_VIOLATION_TOO_MANY_CONTROL_FRAMES = 217,
    // RFC 7692 section 7.2.2: a compressed message is no DEFLATE data, reaches further back than the window, or is
    // cut off.
    MARTLET_CODE_VIOLATION_DEFLATE_INVALID = 218,
    // RFC 6455 section 10.4: a compressed message grows by more than our limit. It is within the limit on its size,
    // so that it is not 1009 but our policy that it breaks.
    MARTLET_CODE_VIOLATION_INFLATE_RATIO = 219,
    // A rule about frames that the peer broke, of a later version than this header.
    MARTLET_CODE_VIOLATION_OTHER = 299,
    // The head's end has not come.
    MARTLET_CODE_HEAD_UNFINISHED = 300,
    // RFC 6585 section 5: the head is longer than max_head_bytes.
    MARTLET_CODE_HEAD_TOO_LONG = 301,
    // RFC 6585 section 5: something that must be seen whole is longer than max_line_bytes.
    MARTLET_CODE_HEAD_LINE_TOO_LONG = 302,
    // RFC 6585 section 5: more than max_headers.
    MARTLET_CODE_HEAD_TOO_MANY_HEADERS = 303,
    // RFC 9112 section 2.2: a CR without its LF.
    MARTLET_CODE_HEAD_BARE_CR = 304,
    // RFC 9112 section 2.2: an LF without its CR. A recipient may take it for a line's end; here it is refused, see
    // the documentation of martlet-handshake.
    MARTLET_CODE_HEAD_BARE_LF = 305,
    // RFC 9112 section 2.2: whitespace between the start line and the first header.
    MARTLET_CODE_HEAD_SPACE_BEFORE_HEADERS = 306,
    // RFC 9112 section 5.2: a line that begins with whitespace goes on with the value before it, which is obsolete.
    MARTLET_CODE_HEAD_OBSOLETE_FOLD = 307,
    // RFC 9112 section 5.1: whitespace between a header's name and its colon.
    MARTLET_CODE_HEAD_SPACE_BEFORE_COLON = 308,
    // RFC 9112 section 5: a header line without a colon.
    MARTLET_CODE_HEAD_COLON_MISSING = 309,
    // RFC 9110 section 5.1: a header's name is not a token.
    MARTLET_CODE_HEAD_NAME_INVALID = 310,
    // RFC 9110 section 5.5: a header's value holds NUL or another control octet.
    MARTLET_CODE_HEAD_VALUE_INVALID = 311,
    // Something wrong with a head, of a later version than this header.
    MARTLET_CODE_HEAD_OTHER = 399,
    // RFC 9110 section 15.5.9: the request did not come in time.
    MARTLET_CODE_REFUSAL_TIMED_OUT = 400,
    // RFC 9112 section 3: this is no request line.
    MARTLET_CODE_REFUSAL_REQUEST_LINE_INVALID = 401,
    // RFC 9112 section 3: the target does not fit into the limits.
    MARTLET_CODE_REFUSAL_TARGET_TOO_LONG = 402,
    // RFC 9112 section 3.2: the target is neither in origin form nor in absolute form.
    MARTLET_CODE_REFUSAL_TARGET_INVALID = 403,
    // RFC 9110 section 15.6.6: another major version of HTTP than 1.
    MARTLET_CODE_REFUSAL_HTTP_VERSION_UNSUPPORTED = 404,
    // RFC 6455 section 4.2.1 item 1: an upgrade is asked for in HTTP/1.0.
    MARTLET_CODE_REFUSAL_HTTP_VERSION_TOO_OLD = 405,
    // RFC 6455 section 4.2.1 item 1: the method is not GET.
    MARTLET_CODE_REFUSAL_METHOD_NOT_GET = 406,
    // RFC 9112 section 3.2, RFC 6455 section 4.2.1 item 2: no Host.
    MARTLET_CODE_REFUSAL_HOST_MISSING = 407,
    // RFC 9112 section 3.2: more than one Host.
    MARTLET_CODE_REFUSAL_HOST_DUPLICATE = 408,
    // RFC 9112 section 3.2: Host, or the authority in the target, is no host with perhaps a port.
    MARTLET_CODE_REFUSAL_HOST_INVALID = 409,
    // RFC 9110 section 7.8: Upgrade is no list of protocols.
    MARTLET_CODE_REFUSAL_UPGRADE_INVALID = 410,
    // RFC 9110 section 7.6.1: Connection is no list of tokens.
    MARTLET_CODE_REFUSAL_CONNECTION_INVALID = 411,
    // RFC 6455 section 4.2.1 item 4: no "Upgrade" in Connection.
    MARTLET_CODE_REFUSAL_CONNECTION_NOT_UPGRADE = 412,
    // RFC 6455 section 4.2.1 item 5: no Sec-WebSocket-Key.
    MARTLET_CODE_REFUSAL_KEY_MISSING = 413,
    // RFC 6455 section 11.3.1: more than one Sec-WebSocket-Key.
    MARTLET_CODE_REFUSAL_KEY_DUPLICATE = 414,
    // RFC 6455 section 4.2.1 item 5: the key is not 16 octets in base64.
    MARTLET_CODE_REFUSAL_KEY_INVALID = 415,
    // RFC 6455 section 4.2.1 item 6: no Sec-WebSocket-Version.
    MARTLET_CODE_REFUSAL_VERSION_MISSING = 416,
    // RFC 6455 section 11.3.5: more than one Sec-WebSocket-Version.
    MARTLET_CODE_REFUSAL_VERSION_DUPLICATE = 417,
    // RFC 6455 section 4.2.2 item 4: another version than 13.
    MARTLET_CODE_REFUSAL_VERSION_UNSUPPORTED = 418,
    // RFC 6455 section 4.1 item 10: Sec-WebSocket-Protocol is no list of tokens.
    MARTLET_CODE_REFUSAL_SUBPROTOCOLS_INVALID = 419,
    // RFC 6455 section 9.1: Sec-WebSocket-Extensions is no list of extensions.
    MARTLET_CODE_REFUSAL_EXTENSIONS_INVALID = 420,
    // RFC 6454 section 7.3: more than one Origin.
    MARTLET_CODE_REFUSAL_ORIGIN_DUPLICATE = 421,
    // RFC 6454 section 7.1: Origin is no origin.
    MARTLET_CODE_REFUSAL_ORIGIN_INVALID = 422,
    // RFC 9112 section 6.3: more than one Content-Length.
    MARTLET_CODE_REFUSAL_CONTENT_LENGTH_DUPLICATE = 423,
    // RFC 9112 section 6.3: Content-Length is no number that fits.
    MARTLET_CODE_REFUSAL_CONTENT_LENGTH_INVALID = 424,
    // RFC 9112 section 6.1: Transfer-Encoding in HTTP/1.0, twice "chunked", or no coding at all.
    MARTLET_CODE_REFUSAL_TRANSFER_ENCODING_INVALID = 425,
    // RFC 9112 section 6.1: another transfer coding than "chunked".
    MARTLET_CODE_REFUSAL_TRANSFER_ENCODING_UNKNOWN = 426,
    // RFC 9112 section 6.3: both Transfer-Encoding and Content-Length, which is how requests are smuggled.
    MARTLET_CODE_REFUSAL_BODY_LENGTH_AMBIGUOUS = 427,
    // RFC 6455 section 4.1: an opening handshake has no body.
    MARTLET_CODE_REFUSAL_BODY_ON_UPGRADE = 428,
    // A reason to refuse a request, of a later version than this header.
    MARTLET_CODE_REFUSAL_OTHER = 499,
    // RFC 9112 section 4: this is no status line.
    MARTLET_CODE_RESPONSE_STATUS_LINE_INVALID = 500,
    // RFC 9112 section 2.3: another major version of HTTP than 1, or a status 101 in HTTP/1.0.
    MARTLET_CODE_RESPONSE_HTTP_VERSION_UNSUPPORTED = 501,
    // RFC 6455 section 4.1, validation item 1: another status than 101, which is in `code` of the event. Its
    // headers were shown line by line, if they are read so.
    MARTLET_CODE_RESPONSE_STATUS = 502,
    // Validation item 2: no Upgrade.
    MARTLET_CODE_RESPONSE_UPGRADE_MISSING = 503,
    // Validation item 2: Upgrade is something else than "websocket".
    MARTLET_CODE_RESPONSE_UPGRADE_INVALID = 504,
    // RFC 9110 section 7.6.1: Connection is no list of tokens.
    MARTLET_CODE_RESPONSE_CONNECTION_INVALID = 505,
    // Validation item 3: no "Upgrade" in Connection.
    MARTLET_CODE_RESPONSE_CONNECTION_NOT_UPGRADE = 506,
    // Validation item 4: no Sec-WebSocket-Accept.
    MARTLET_CODE_RESPONSE_ACCEPT_MISSING = 507,
    // RFC 6455 section 11.3.3: more than one Sec-WebSocket-Accept.
    MARTLET_CODE_RESPONSE_ACCEPT_DUPLICATE = 508,
    // Validation item 4: Sec-WebSocket-Accept is not the answer to our key.
    MARTLET_CODE_RESPONSE_ACCEPT_MISMATCH = 509,
    // RFC 6455 section 11.3.2: more than one Sec-WebSocket-Extensions.
    MARTLET_CODE_RESPONSE_EXTENSIONS_DUPLICATE = 510,
    // RFC 6455 section 9.1: Sec-WebSocket-Extensions is no list of extensions.
    MARTLET_CODE_RESPONSE_EXTENSIONS_INVALID = 511,
    // Validation item 5: an extension that was not offered.
    MARTLET_CODE_RESPONSE_EXTENSION_NOT_OFFERED = 512,
    // RFC 6455 section 9.1: an extension is accepted twice.
    MARTLET_CODE_RESPONSE_EXTENSION_TWICE = 513,
    // RFC 7692 section 7: permessage-deflate is accepted with a parameter that it does not have.
    MARTLET_CODE_RESPONSE_DEFLATE_PARAM_UNKNOWN = 514,
    // RFC 7692 section 7: a parameter of permessage-deflate is there twice.
    MARTLET_CODE_RESPONSE_DEFLATE_PARAM_TWICE = 515,
    // RFC 7692 sections 7.1.1 and 7.1.2: a parameter of permessage-deflate has a value where it has none, or none
    // where it must have one, or another than 8 to 15.
    MARTLET_CODE_RESPONSE_DEFLATE_PARAM_INVALID = 516,
    // RFC 7692 section 7.1.1.1: server_no_context_takeover was demanded, and the answer lacks it.
    MARTLET_CODE_RESPONSE_DEFLATE_TAKEOVER_NOT_GRANTED = 517,
    // RFC 7692 section 7.1.2.1: server_max_window_bits was demanded, and the answer lacks it or has a greater
    // value.
    MARTLET_CODE_RESPONSE_DEFLATE_WINDOW_NOT_GRANTED = 518,
    // RFC 7692 section 7.1.2.2: client_max_window_bits is greater than was offered.
    MARTLET_CODE_RESPONSE_DEFLATE_WINDOW_TOO_LARGE = 519,
    // RFC 6455 section 11.3.4: more than one Sec-WebSocket-Protocol.
    MARTLET_CODE_RESPONSE_SUBPROTOCOL_DUPLICATE = 520,
    // RFC 6455 section 4.2.2: Sec-WebSocket-Protocol is not a token.
    MARTLET_CODE_RESPONSE_SUBPROTOCOL_INVALID = 521,
    // Validation item 6: a subprotocol that was not offered.
    MARTLET_CODE_RESPONSE_SUBPROTOCOL_NOT_OFFERED = 522,
    // Something wrong with a response, of a later version than this header.
    MARTLET_CODE_RESPONSE_OTHER = 599,
} martlet_code;

// What kind of event it is.
typedef enum {
    // None.
    MARTLET_EVENT_TYPE_NONE = 0,
    // A line of the head, only with `head_by_lines`: see `line`.
    MARTLET_EVENT_TYPE_LINE = 1,
    // A server got a whole, legal request: answer with martlet_accept or martlet_respond. Until then nothing more is taken. `upgrade`
    // says whether it asks for a WebSocket. `name` is the subprotocol that is accepted with it, empty if none. `octets` is all of the
    // head, empty with `head_by_lines`: see martlet_request_parse.
    MARTLET_EVENT_TYPE_REQUEST = 2,
    // A client's request was accepted, and all of the answer is right. `name` is the subprotocol, empty if there is none.
    MARTLET_EVENT_TYPE_OPEN = 3,
    // A message, or as much of one as has come: `kind`, `first`, `last`, `octets`. Text that is whole is UTF-8; a piece of it may end
    // inside a character.
    MARTLET_EVENT_TYPE_DATA = 4,
    // A Ping with `octets`; its Pong is in the output, unless `auto_pong` is off.
    MARTLET_EVENT_TYPE_PING = 5,
    // A Pong with `octets`.
    MARTLET_EVENT_TYPE_PONG = 6,
    // The peer's Close: `code`, or 1005 if it has none, and the reason in `octets`, UTF-8. The answer is in the output; the connection
    // is closed.
    MARTLET_EVENT_TYPE_CLOSE = 7,
} martlet_event_type;

// What kind of line it is.
typedef enum {
    // An empty line that ends nothing: one before the request line, or the one behind an interim response, after which
    // another status line comes.
    MARTLET_LINE_TYPE_BLANK = 0,
    // The request line: the method in `name`, the target in `octets`.
    MARTLET_LINE_TYPE_REQUEST = 1,
    // The status line: the status in `code`, the phrase in `octets`.
    MARTLET_LINE_TYPE_STATUS = 2,
    // A header: `name`, and the value in `octets`. If `last` is false, value pieces follow.
    MARTLET_LINE_TYPE_HEADER = 3,
    // More of the value of the header before, in `octets`. `last`: its end.
    MARTLET_LINE_TYPE_VALUE_PIECE = 4,
    // The empty line that ends the head.
    MARTLET_LINE_TYPE_END = 5,
} martlet_line_type;

// What kind of message it is.
typedef enum {
    // No message.
    MARTLET_KIND_NONE = 0,
    // UTF-8 text.
    MARTLET_KIND_TEXT = 1,
    // Octets.
    MARTLET_KIND_BINARY = 2,
} martlet_kind;

// One end of one connection. It holds no buffer, so that there is nothing to free; when it is of no more use, forget it.
typedef struct {
    // Nobody's business.
    uint64_t opaque[20];
} martlet_connection;

// Room for what is to go to the transport: everything that is sent is put behind what is there, whole or not at all. When it has been
// written out, set `len` to 0.
typedef struct {
    // The first octet.
    uint8_t *ptr;
    // How many there is room for.
    size_t size;
    // How many are there.
    size_t len;
    // After MARTLET_CODE_NO_ROOM: how many more octets of room would have been enough. Otherwise 0.
    size_t wanted;
} martlet_output;

// What has come from the transport and was not taken yet. martlet_receive moves both fields behind what it takes, and unmasks
// payload where it lies.
typedef struct {
    // The first octet.
    uint8_t *ptr;
    // How many.
    size_t len;
} martlet_input;

// Octets that are read. The pointer may be NULL if there are none.
typedef struct {
    // The first.
    const uint8_t *ptr;
    // How many.
    size_t len;
} martlet_octets;

// What came from the peer. What it points to lies in the input, except for the names of subprotocols, which are the configuration's.
typedef struct {
    // What kind of event it is, and by that which of the fields mean something.
    martlet_event_type type;
    // Of a line.
    martlet_line_type line;
    // Of data.
    martlet_kind kind;
    // A close code or an HTTP status. When martlet_receive answers a fault: what was told to the peer; or of
    // MARTLET_CODE_RESPONSE_STATUS the server's status.
    uint16_t code;
    // A message begins here.
    bool first;
    // The message, or the header's value, ends here.
    bool last;
    // The request asks for a WebSocket.
    bool upgrade;
    // A name.
    martlet_octets name;
    // Payload, or whatever else it is about.
    martlet_octets octets;
} martlet_event;

// The configuration of any number of connections, checked. It stays where it is as long as one of them is used.
typedef struct {
    // Nobody's business.
    uint64_t opaque[32];
} martlet_config;

// A header of the caller's.
typedef struct {
    // A token.
    martlet_octets name;
    // UTF-8 without control octets.
    martlet_octets value;
} martlet_header;

// The request that opens a connection.
typedef struct {
    // The server's host, with its port unless that is the scheme's own: `example.org`, `[::1]:9501`.
    martlet_octets host;
    // Path and query, percent-encoded: "/chat?room=1".
    martlet_octets target;
    // For a browser, where the page comes from; otherwise empty.
    martlet_octets origin;
    // More headers.
    const martlet_header *headers;
    // How many there are: at most MARTLET_MAX_HEADERS.
    size_t header_count;
} martlet_client_request;

// Fills `len` octets at `room` with random ones and answers 0; anything else says that it could not. It must be cryptographically strong
// (RFC 6455 section 10.3): getrandom, or a generator of the hardware. `context` is what was given with it. It must neither throw
// nor jump out, and not use the connection.
typedef int (*martlet_random)(void *context, uint8_t *room, size_t len);

// An answer that opens no connection.
typedef struct {
    // The body.
    martlet_octets body;
    // Headers; Content-Length and Connection are written without being named here.
    const martlet_header *headers;
    // How many there are: at most MARTLET_MAX_HEADERS.
    size_t header_count;
    // The status: 200 to 599.
    uint16_t status;
} martlet_response;

// What a request head says. It all lies in the head.
typedef struct {
    // Such as "GET".
    martlet_octets method;
    // The request target as it came.
    martlet_octets target;
    // The target's path as it came, percent-encoding and all.
    martlet_octets path;
    // What stands behind the target's first "?"; empty if there is none.
    martlet_octets query;
    // Host, and port if there is one.
    martlet_octets host;
    // Where the page comes from that opens the connection; empty if the client does not say. Whether to serve it is for the
    // application to decide (RFC 6455 section 10.2).
    martlet_octets origin;
} martlet_request;

// The settings of connections. martlet_settings_default fills them all in; change those that are to be different.
typedef struct {
    // The longest payload of one data frame, in octets. Default: 2097152.
    uint64_t max_frame_bytes;
    // The longest message, all its frames together, in octets. Default: 2097152.
    uint64_t max_message_bytes;
    // The subprotocols that a server speaks or a client offers, the one it likes best first; at most MARTLET_MAX_SUBPROTOCOLS. The
    // names stay where they are as long as the configuration is used; this list need not. Default: none.
    const martlet_octets *subprotocols;
    // How many there are.
    size_t subprotocol_count;
    // Octets of a whole request or response head. Default: 8192.
    uint32_t max_head_bytes;
    // Octets of a line of a head; the input must hold so many. Default: 8192.
    uint32_t max_line_bytes;
    // From the first moment to the end of the handshake, in milliseconds; 0 for ever. Default: 10000.
    uint32_t handshake_timeout_ms;
    // After so many milliseconds without an octet from the peer a Ping is sent; 0 for never. Default: 30000.
    uint32_t idle_ms;
    // How long after that Ping anything must come, in milliseconds. Default: 20000.
    uint32_t pong_timeout_ms;
    // How long after our Close the peer's is awaited, in milliseconds. Default: 5000.
    uint32_t close_timeout_ms;
    // Header lines of a head. Default: 64.
    uint16_t max_headers;
    // How many control frames a peer may send within a second; 0 for any number. Default: 100.
    uint16_t max_control_per_second;
    // How many empty fragments in a row are borne. Default: 32.
    uint8_t max_empty_fragments;
    // Whether a Ping is answered without further ado; 0 if the caller does. Default: 1.
    uint8_t auto_pong;
    // 0 if the input holds the longest head, which is then shown whole. Otherwise each line is an event, and the input needs to hold
    // max_line_bytes only. Default: 0.
    uint8_t head_by_lines;
} martlet_settings;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Where the connection stands.
martlet_state martlet_state_of(martlet_connection *connection);

// When martlet_tick has something to do, if nothing comes before, in milliseconds as `now_ms` counts them; or MARTLET_NEVER. Ask
// again after each round of calls. A timer that was set for an earlier answer is early at worst.
uint64_t martlet_poll_timeout(martlet_connection *connection);

// Does what is due: sends the heartbeat's Ping (MARTLET_CODE_OK), or ends the connection (MARTLET_CODE_EXPIRED_...). If nothing is due it does
// nothing. MARTLET_MIN_OUTPUT octets of room are enough.
martlet_code martlet_tick(martlet_connection *connection,
                          uint64_t now_ms,
                          martlet_output *output);

// The transport has ended: the connection is closed. Says whether the closing handshake was complete (RFC 6455 section 7.1.4).
bool martlet_eof(martlet_connection *connection);

// Octets of payload that the frame at hand still lacks: so many may be read straight to where the message is to lie, and lent to
// martlet_receive there.
uint64_t martlet_missing(martlet_connection *connection);

// What a code means, in a few English words that end in NUL: for a log. They are never freed.
const char *martlet_describe(int code);

// The close code that goes with a fault (RFC 6455 section 7.4.1), 0 if none does: of a broken rule the one that was sent, of a response
// the one to report.
uint16_t martlet_close_code(int code);

// The HTTP status that a server answers a refused request with, 0 if this is no reason to refuse one.
uint16_t martlet_http_status(int code);

// Takes one event's worth from the front of the input, and puts the protocol's answer to it into the output. MARTLET_CODE_OK: there is an
// event; call again. MARTLET_CODE_MORE: read more behind what is left of the input (at most 138 octets, or the head), and call again.
// MARTLET_CODE_NO_ROOM: nothing was taken; write out the output, and call again. Anything from 200 on: a fault of the peer's, which
// comes once; then the connection is closed, takes whatever comes, and says MARTLET_CODE_MORE.
//
// Call it when octets have come: whatever lies in the input counts as a sign of life of the peer's at `now_ms`, in milliseconds since any
// moment. Any cutting of the stream gives the same events and the same answers. MARTLET_MIN_OUTPUT octets of room are always enough.
martlet_code martlet_receive(martlet_connection *connection,
                             uint64_t now_ms,
                             martlet_input *input,
                             martlet_output *output,
                             martlet_event *event);

// The end that accepted the transport, at `now_ms`. `size` is sizeof *connection.
martlet_code martlet_server_init(martlet_connection *connection, size_t size, const martlet_config *config, uint64_t now_ms);

// The end that made the transport, at `now_ms`: puts the request into the output and waits for the answer. `size` is sizeof *connection;
// `random` gives the key of the handshake and that of every frame, and gets `context` each time.
martlet_code martlet_client_init(martlet_connection *connection,
                                 size_t size,
                                 const martlet_config *config,
                                 uint64_t now_ms,
                                 const martlet_client_request *request,
                                 martlet_random random,
                                 void *context,
                                 martlet_output *output);

// Answers a request with 101: frames may go both ways. The subprotocol is the first of the configuration's that the client offers.
martlet_code martlet_accept(martlet_connection *connection,
                            uint64_t now_ms,
                            const martlet_header *headers,
                            size_t header_count,
                            martlet_output *output);

// Answers a request in any other way; the connection is closed. Shut down the sending half of the transport and drain what still comes, so
// that the answer arrives.
martlet_code martlet_respond(martlet_connection *connection,
                             const martlet_response *response,
                             martlet_output *output);

// Takes a whole request head apart.
martlet_code martlet_request_parse(martlet_octets head, martlet_request *request);

// Whether a whole request head has another header of that name, in any case, behind the first `skip` of them. If so, its value without the
// whitespace around it is put into `value`.
bool martlet_request_header(martlet_octets head,
                            martlet_octets name,
                            size_t skip,
                            martlet_octets *value);

// Sends `len` octets of UTF-8 as a whole text message, in one frame.
martlet_code martlet_send_text(martlet_connection *connection, const uint8_t *text, size_t len, martlet_output *output);

// Sends `len` octets as a whole binary message, in one frame.
martlet_code martlet_send_binary(martlet_connection *connection, const uint8_t *octets, size_t len, martlet_output *output);

// Sends the next fragment of a message of that kind (RFC 6455 section 5.4); the first one begins it, the one with `fin` ends it. A fragment of text
// may end inside a character, so that the pieces that martlet_receive gives can be sent on as they are.
martlet_code martlet_send_fragment(martlet_connection *connection,
                                   int kind,
                                   const uint8_t *octets,
                                   size_t len,
                                   bool fin,
                                   martlet_output *output);

// Sends a Ping with a body of at most 125 octets.
martlet_code martlet_ping(martlet_connection *connection, const uint8_t *octets, size_t len, martlet_output *output);

// Sends a Pong with a body of at most 125 octets: the answer to a Ping when `auto_pong` is off, or unasked.
martlet_code martlet_pong(martlet_connection *connection, const uint8_t *octets, size_t len, martlet_output *output);

// Begins the closing handshake (RFC 6455 section 7.1.2): nothing is sent after this. What the peer had under way is still delivered,
// until its Close comes or close_timeout_ms have passed. The reason is UTF-8 of at most 123 octets; with `code` 0 the Close has no body.
martlet_code martlet_close(martlet_connection *connection,
                           uint64_t now_ms,
                           uint16_t code,
                           const uint8_t *reason,
                           size_t len,
                           martlet_output *output);

// Fills in the defaults.
martlet_code martlet_settings_default(martlet_settings *settings);

// Checks settings and makes a configuration of them. `size` is sizeof *config. If a setting makes no sense, its name is put into
// `wrong`, which may be NULL.
martlet_code martlet_config_init(martlet_config *config, size_t size, const martlet_settings *settings, martlet_octets *wrong);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MARTLET_H */
