//! What functions answer: one code for each thing that can be the matter.

/// What a function answers. 0 to 99: no fault. 100 to 199: the caller's, and nothing was done. From 200 on: the peer's; the
/// connection is closed, and what is to be said to the peer is in the output. Numbers keep their meaning; later versions may add some.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It is done; martlet_receive has an event.
    Ok = 0,
    /// Nothing more can be told from what has come: read behind what is left of the input.
    More = 1,
    /// Nothing was done, because the answer might not fit: write out what is in the output and call again. `wanted`
    /// says how much room is enough.
    NoRoom = 2,
    /// The handshake took too long. The connection is closed; what is to be said is in the output.
    ExpiredHandshake = 10,
    /// Nothing came after the Ping of the heartbeat. The connection is closed; what is to be said is in the output.
    ExpiredPong = 11,
    /// The peer's Close did not come in time. The connection is closed.
    ExpiredClose = 12,
    /// The source of random octets failed. The connection is closed, and nothing of this call is in the output: it
    /// would be without a good masking key.
    RandomFailed = 13,
    /// A pointer is NULL that must not be.
    MisuseNull = 100,
    /// The storage is too small or misaligned: the header and the library do not belong together, or a pointer is
    /// wrong.
    MisuseStorage = 101,
    /// The storage holds no connection, or no configuration, or a configuration that was moved.
    MisuseNotInitialised = 102,
    /// This connection is in a call already: the source of random octets called back into it, or another thread uses
    /// it.
    MisuseBusy = 103,
    /// A length makes no sense: more is written than there is room, or it is greater than an object can be.
    MisuseLength = 104,
    /// The output lies over the input or over the payload.
    MisuseOverlap = 105,
    /// A server does this, and this is a client.
    MisuseRole = 106,
    /// A text, a close reason or a part of a head is not UTF-8.
    MisuseUtf8 = 107,
    /// This is neither MARTLET_KIND_TEXT nor MARTLET_KIND_BINARY.
    MisuseKind = 108,
    /// More headers or subprotocols than there is room for.
    MisuseTooMany = 109,
    /// A setting makes no sense.
    MisuseConfig = 110,
    /// This is not done in this state: for one, nothing is sent after our Close.
    MisuseState = 111,
    /// There is no request to answer, or it asks for no WebSocket.
    MisuseNoUpgrade = 112,
    /// A message of ours is open: its fragments come first.
    MisuseMessageOpen = 113,
    /// A fragment of the other kind than its message.
    MisuseKindChanged = 114,
    /// The body of a Ping or Pong has more than 125 octets.
    MisuseControlTooLong = 115,
    /// This close code must not be sent (RFC 6455 section 7.4).
    MisuseCloseCode = 116,
    /// The close reason has more than 123 octets, or stands there without a code.
    MisuseCloseReason = 117,
    /// A header's name is not a token.
    MisuseHeaderName = 118,
    /// A header's value holds a control octet.
    MisuseHeaderValue = 119,
    /// A header is there that is written by itself, or that must not be here.
    MisuseHeaderReserved = 120,
    /// The status of a response is not between 200 and 599.
    MisuseStatus = 121,
    /// A response of this status has no body.
    MisuseBody = 122,
    /// The host is no host with perhaps a port.
    MisuseHost = 123,
    /// The target does not begin with "/", or holds what a target may not.
    MisuseTarget = 124,
    /// The origin is no origin.
    MisuseOrigin = 125,
    /// A subprotocol is not a token, or is there twice.
    MisuseSubprotocol = 126,
    /// This begins with no request line.
    MisuseNoRequest = 127,
    /// The caller asked for what is not allowed, in a way that has no name here yet.
    MisuseOther = 199,
    /// RFC 6455 section 5.2, RFC 7692 section 6.1: a reserved bit is set that no negotiated extension claims, or
    /// RSV1 where compression does not put it: on a control frame, or on a continuation.
    ViolationRsvUnclaimed = 200,
    /// RFC 6455 section 5.2: an opcode that is reserved for later.
    ViolationOpcodeReserved = 201,
    /// RFC 6455 section 5.1: a client's frame came without a mask.
    ViolationMaskMissing = 202,
    /// RFC 6455 section 5.1: a server's frame came with a mask.
    ViolationMaskForbidden = 203,
    /// RFC 6455 section 5.2: a 64-bit length has its most significant bit set.
    ViolationLengthTopBit = 204,
    /// RFC 6455 section 5.2: a length is not in its shortest form.
    ViolationLengthNotMinimal = 205,
    /// RFC 6455 section 5.5: a control frame has FIN clear.
    ViolationControlFragmented = 206,
    /// RFC 6455 section 5.5: a control frame announces more than 125 octets.
    ViolationControlTooLong = 207,
    /// RFC 6455 section 5.4: a continuation came while no message was open.
    ViolationContinuationUnexpected = 208,
    /// RFC 6455 section 5.4: a new message began while another was open.
    ViolationContinuationExpected = 209,
    /// RFC 6455 section 10.4: a frame longer than our limit.
    ViolationFrameTooBig = 210,
    /// RFC 6455 section 10.4: a message longer than our limit.
    ViolationMessageTooBig = 211,
    /// RFC 6455 section 8.1: a text message is not UTF-8.
    ViolationUtf8Invalid = 212,
    /// RFC 6455 section 5.5.1: a Close body of one octet.
    ViolationCloseBodyTooShort = 213,
    /// RFC 6455 section 7.4: a close code that must not travel, or that nobody may use.
    ViolationCloseCodeInvalid = 214,
    /// RFC 6455 section 5.5.1: a close reason is not UTF-8.
    ViolationCloseReasonInvalid = 215,
    /// RFC 6455 section 10.4: more empty fragments in a row than our limit.
    ViolationTooManyEmptyFragments = 216,
    /// RFC 6455 section 10.4: more control frames in a second than our limit.
    ViolationTooManyControlFrames = 217,
    /// RFC 7692 section 7.2.2: a compressed message is no DEFLATE data, reaches further back than the window, or is
    /// cut off.
    ViolationDeflateInvalid = 218,
    /// RFC 6455 section 10.4: a compressed message grows by more than our limit. It is within the limit on its size,
    /// so that it is not 1009 but our policy that it breaks.
    ViolationInflateRatio = 219,
    /// A rule about frames that the peer broke, of a later version than this header.
    ViolationOther = 299,
    /// The head's end has not come.
    HeadUnfinished = 300,
    /// RFC 6585 section 5: the head is longer than max_head_bytes.
    HeadTooLong = 301,
    /// RFC 6585 section 5: something that must be seen whole is longer than max_line_bytes.
    HeadLineTooLong = 302,
    /// RFC 6585 section 5: more than max_headers.
    HeadTooManyHeaders = 303,
    /// RFC 9112 section 2.2: a CR without its LF.
    HeadBareCr = 304,
    /// RFC 9112 section 2.2: an LF without its CR. A recipient may take it for a line's end; here it is refused, see
    /// the documentation of martlet-handshake.
    HeadBareLf = 305,
    /// RFC 9112 section 2.2: whitespace between the start line and the first header.
    HeadSpaceBeforeHeaders = 306,
    /// RFC 9112 section 5.2: a line that begins with whitespace goes on with the value before it, which is obsolete.
    HeadObsoleteFold = 307,
    /// RFC 9112 section 5.1: whitespace between a header's name and its colon.
    HeadSpaceBeforeColon = 308,
    /// RFC 9112 section 5: a header line without a colon.
    HeadColonMissing = 309,
    /// RFC 9110 section 5.1: a header's name is not a token.
    HeadNameInvalid = 310,
    /// RFC 9110 section 5.5: a header's value holds NUL or another control octet.
    HeadValueInvalid = 311,
    /// Something wrong with a head, of a later version than this header.
    HeadOther = 399,
    /// RFC 9110 section 15.5.9: the request did not come in time.
    RefusalTimedOut = 400,
    /// RFC 9112 section 3: this is no request line.
    RefusalRequestLineInvalid = 401,
    /// RFC 9112 section 3: the target does not fit into the limits.
    RefusalTargetTooLong = 402,
    /// RFC 9112 section 3.2: the target is neither in origin form nor in absolute form.
    RefusalTargetInvalid = 403,
    /// RFC 9110 section 15.6.6: another major version of HTTP than 1.
    RefusalHttpVersionUnsupported = 404,
    /// RFC 6455 section 4.2.1 item 1: an upgrade is asked for in HTTP/1.0.
    RefusalHttpVersionTooOld = 405,
    /// RFC 6455 section 4.2.1 item 1: the method is not GET.
    RefusalMethodNotGet = 406,
    /// RFC 9112 section 3.2, RFC 6455 section 4.2.1 item 2: no Host.
    RefusalHostMissing = 407,
    /// RFC 9112 section 3.2: more than one Host.
    RefusalHostDuplicate = 408,
    /// RFC 9112 section 3.2: Host, or the authority in the target, is no host with perhaps a port.
    RefusalHostInvalid = 409,
    /// RFC 9110 section 7.8: Upgrade is no list of protocols.
    RefusalUpgradeInvalid = 410,
    /// RFC 9110 section 7.6.1: Connection is no list of tokens.
    RefusalConnectionInvalid = 411,
    /// RFC 6455 section 4.2.1 item 4: no "Upgrade" in Connection.
    RefusalConnectionNotUpgrade = 412,
    /// RFC 6455 section 4.2.1 item 5: no Sec-WebSocket-Key.
    RefusalKeyMissing = 413,
    /// RFC 6455 section 11.3.1: more than one Sec-WebSocket-Key.
    RefusalKeyDuplicate = 414,
    /// RFC 6455 section 4.2.1 item 5: the key is not 16 octets in base64.
    RefusalKeyInvalid = 415,
    /// RFC 6455 section 4.2.1 item 6: no Sec-WebSocket-Version.
    RefusalVersionMissing = 416,
    /// RFC 6455 section 11.3.5: more than one Sec-WebSocket-Version.
    RefusalVersionDuplicate = 417,
    /// RFC 6455 section 4.2.2 item 4: another version than 13.
    RefusalVersionUnsupported = 418,
    /// RFC 6455 section 4.1 item 10: Sec-WebSocket-Protocol is no list of tokens.
    RefusalSubprotocolsInvalid = 419,
    /// RFC 6455 section 9.1: Sec-WebSocket-Extensions is no list of extensions.
    RefusalExtensionsInvalid = 420,
    /// RFC 6454 section 7.3: more than one Origin.
    RefusalOriginDuplicate = 421,
    /// RFC 6454 section 7.1: Origin is no origin.
    RefusalOriginInvalid = 422,
    /// RFC 9112 section 6.3: more than one Content-Length.
    RefusalContentLengthDuplicate = 423,
    /// RFC 9112 section 6.3: Content-Length is no number that fits.
    RefusalContentLengthInvalid = 424,
    /// RFC 9112 section 6.1: Transfer-Encoding in HTTP/1.0, twice "chunked", or no coding at all.
    RefusalTransferEncodingInvalid = 425,
    /// RFC 9112 section 6.1: another transfer coding than "chunked".
    RefusalTransferEncodingUnknown = 426,
    /// RFC 9112 section 6.3: both Transfer-Encoding and Content-Length, which is how requests are smuggled.
    RefusalBodyLengthAmbiguous = 427,
    /// RFC 6455 section 4.1: an opening handshake has no body.
    RefusalBodyOnUpgrade = 428,
    /// A reason to refuse a request, of a later version than this header.
    RefusalOther = 499,
    /// RFC 9112 section 4: this is no status line.
    ResponseStatusLineInvalid = 500,
    /// RFC 9112 section 2.3: another major version of HTTP than 1, or a status 101 in HTTP/1.0.
    ResponseHttpVersionUnsupported = 501,
    /// RFC 6455 section 4.1, validation item 1: another status than 101, which is in `code` of the event. Its
    /// headers were shown line by line, if they are read so.
    ResponseStatus = 502,
    /// Validation item 2: no Upgrade.
    ResponseUpgradeMissing = 503,
    /// Validation item 2: Upgrade is something else than "websocket".
    ResponseUpgradeInvalid = 504,
    /// RFC 9110 section 7.6.1: Connection is no list of tokens.
    ResponseConnectionInvalid = 505,
    /// Validation item 3: no "Upgrade" in Connection.
    ResponseConnectionNotUpgrade = 506,
    /// Validation item 4: no Sec-WebSocket-Accept.
    ResponseAcceptMissing = 507,
    /// RFC 6455 section 11.3.3: more than one Sec-WebSocket-Accept.
    ResponseAcceptDuplicate = 508,
    /// Validation item 4: Sec-WebSocket-Accept is not the answer to our key.
    ResponseAcceptMismatch = 509,
    /// RFC 6455 section 11.3.2: more than one Sec-WebSocket-Extensions.
    ResponseExtensionsDuplicate = 510,
    /// RFC 6455 section 9.1: Sec-WebSocket-Extensions is no list of extensions.
    ResponseExtensionsInvalid = 511,
    /// Validation item 5: an extension that was not offered.
    ResponseExtensionNotOffered = 512,
    /// RFC 6455 section 9.1: an extension is accepted twice.
    ResponseExtensionTwice = 513,
    /// RFC 7692 section 7: permessage-deflate is accepted with a parameter that it does not have.
    ResponseDeflateParamUnknown = 514,
    /// RFC 7692 section 7: a parameter of permessage-deflate is there twice.
    ResponseDeflateParamTwice = 515,
    /// RFC 7692 sections 7.1.1 and 7.1.2: a parameter of permessage-deflate has a value where it has none, or none
    /// where it must have one, or another than 8 to 15.
    ResponseDeflateParamInvalid = 516,
    /// RFC 7692 section 7.1.1.1: server_no_context_takeover was demanded, and the answer lacks it.
    ResponseDeflateTakeoverNotGranted = 517,
    /// RFC 7692 section 7.1.2.1: server_max_window_bits was demanded, and the answer lacks it or has a greater
    /// value.
    ResponseDeflateWindowNotGranted = 518,
    /// RFC 7692 section 7.1.2.2: client_max_window_bits is greater than was offered.
    ResponseDeflateWindowTooLarge = 519,
    /// RFC 6455 section 11.3.4: more than one Sec-WebSocket-Protocol.
    ResponseSubprotocolDuplicate = 520,
    /// RFC 6455 section 4.2.2: Sec-WebSocket-Protocol is not a token.
    ResponseSubprotocolInvalid = 521,
    /// Validation item 6: a subprotocol that was not offered.
    ResponseSubprotocolNotOffered = 522,
    /// Something wrong with a response, of a later version than this header.
    ResponseOther = 599,
}
