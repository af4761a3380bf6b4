/**
Programs identified by the names of their chains, besides the meshes that are recognized by their rules. To add a program, add a row.
*/

/** Programs that write the rules of a node; a pod has none of these. `write` matches the names of their chains. */
export const nodePrograms: ReadonlyArray<{readonly name: string; readonly shown: string; readonly pattern: RegExp}> = [
	{name: 'kube-proxy or kubelet', shown: 'KUBE-…', pattern: /^KUBE-(?!ROUTER)/u},
	{name: 'Calico', shown: 'cali-…', pattern: /^cali-/u},
	{name: 'Cilium', shown: 'CILIUM_…', pattern: /^(?:OLD_)?CILIUM_/u},
	{name: 'flannel', shown: 'FLANNEL-…', pattern: /^FLANNEL-/u},
	{name: 'kube-router', shown: 'KUBE-ROUTER-…', pattern: /^KUBE-ROUTER-/u},
	{name: 'CNI plug-ins', shown: 'CNI-…', pattern: /^CNI-/u},
	// DOCKER_OUTPUT and DOCKER_POSTROUTING occur in a container: its name server.
	{name: 'Docker', shown: 'DOCKER', pattern: /^DOCKER(?:-|$)/u},
	{name: 'libvirt', shown: 'LIBVIRT_…', pattern: /^LIBVIRT_/u},
];

/** Meshes whose rules are recognized by chain names only. `all` must be among the chains. */
export const namedMeshes: ReadonlyArray<{readonly kind: string; readonly title: string; readonly pattern: RegExp}> = [
	// Open Service Mesh, pkg/injector/iptables.go (1.0 to 1.2): PROXY_INBOUND, PROXY_OUTPUT, PROXY_REDIRECT, PROXY_IN_REDIRECT and the like. Linkerd's begin with PROXY_INIT_.
	{kind: 'osm', title: 'Open Service Mesh (OSM) sidecar', pattern: /^(?:OSM_)?PROXY_(?:(?:IN_|OUT_)?(?:INBOUND|OUTPUT|OUTBOUND|REDIRECT))$/u},
	// AWS App Mesh, aws-appmesh-proxy-route-manager and its CNI plug-in.
	{kind: 'app-mesh', title: 'AWS App Mesh sidecar', pattern: /^APPMESH_(?:INGRESS|EGRESS)$/u},
];
