/** Which addresses lead back to this machine. */

/** 127.0.0.0/8 and ::1, IPv4 addresses in their IPv6 spelling too, and the name that stands for them. */
export function isLoopback(host: string): boolean {
  const plain = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^::ffff:(?=\d+\.)/, '');
  if (plain === 'localhost' || plain === '::1') return true;
  return /^127(?:\.\d{1,3}){3}$/.test(plain);
}

/** Of a remote address as the network tells it, `host:port`. */
export function isLoopbackPeer(remoteAddress: string): boolean {
  const colon = remoteAddress.lastIndexOf(':');
  return isLoopback(colon === -1 ? remoteAddress : remoteAddress.slice(0, colon));
}
