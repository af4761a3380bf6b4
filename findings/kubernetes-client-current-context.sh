#!/bin/sh
# @kubernetes/client-node 1.4.0 (npm), Node 20.
# Expected before measuring: of several files in KUBECONFIG, the first one that sets a value counts ("the first file to
#   set a particular value wins", https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/),
#   so the current context is that of the first file, as for kubectl config current-context.
# Observed: loadFromDefault() takes the current context of the last file, and so asks another cluster than kubectl does.
#   loadFromDefault({}, true) takes that of the first.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @kubernetes/client-node@1.4.0
for name in first second; do
	cat >"$name" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: $name, cluster: {server: "https://$name.example"}}]
users: [{name: $name, user: {token: x}}]
contexts: [{name: $name, context: {cluster: $name, user: $name}}]
current-context: $name
YAML
done
cat >try.mjs <<'JS'
import {KubeConfig} from '@kubernetes/client-node';

for (const options of [[], [{}, true]]) {
	const config = new KubeConfig();
	config.loadFromDefault(...options);
	console.log(JSON.stringify(options), config.getCurrentContext(), config.getCurrentCluster().server);
}
JS
KUBECONFIG="$dir/first:$dir/second" node try.mjs | tee seen.txt
cat >expected.txt <<'TXT'
[] second https://second.example
[{},true] first https://first.example
TXT
diff -u expected.txt seen.txt && echo 'Still the same.'
