/**
Options that several commands have, each with one meaning and one text.
*/

import {Option} from 'commander';
import {destinationReader} from '../output/destinations.js';
import {
	anyOf, formatReader, readId, readNumber, readServers, type Format,
} from '../parsers.js';
import {defaultBackend} from '../../../src/netfilter/backends.js';
import {backends} from '../../../src/netfilter/types.js';
import {defaultClassLimit} from '../../../src/packet-classes/classify.js';
import {
	otherProxies, programVariableOf, proxyNames, type OtherProxy,
} from '../../actors/proxy.js';
import {defaultBufferBytes} from '../../tracer/trace-source.js';
import {colorChoices} from '../output/terminal.js';
import {offering} from './offers.js';
import {repeatable} from './repeatable.js';

/** The texts of `--backend`: one, several, one or (with `rules --diff`) two, or one for each side of a comparison. */
export const backendHelp = {
	one: `${anyOf(backends)} (default: the input's; ${defaultBackend})`,
	several: `${backends.join(', ')}, several of these, or all (default: the input's; ${defaultBackend})`,
	oneOrTwo: `${anyOf(backends)}; with --diff, one for both sides or one for each (default: the input's; ${defaultBackend})`,
	sides: `one back end, or one for each side (default: the inputs'; ${defaultBackend})`,
} as const;

/** `--dns-servers`. */
export function serversOption(): Option {
	return new Option('--dns-servers <list>', 'name servers in the pod\'s resolv.conf, for DNS capture (default: 10.96.0.10)').argParser(readServers);
}

/** `--allow-modules`: rules may name matches and targets that are not known here. */
export function modulesOption(): Option {
	return new Option('--allow-modules', 'accept matches and targets that the testbed does not know; for each such name, iptables loads a library and the kernel a module');
}

/** `--allow-outside`: scenarios may name files anywhere. */
export function outsideOption(): Option {
	return new Option('--allow-outside', 'let scenarios read rules from files outside their own folder');
}

/** `--cni`, for a manifest. */
export function cniOption(): Option {
	return new Option('--cni', 'with pod:FILE or kubectl: assume that istio-cni writes the rules, whatever the manifest says');
}

/** `--release`, for a manifest. */
export function releaseOption(): Option {
	return new Option('--release <version>', 'with pod:FILE or kubectl: the Istio release, if no image shows it (default: the newest)');
}

/** `--kubeconfig`, for a pod of a cluster. */
export function kubeconfigOption(): Option {
	return new Option('--kubeconfig <file>', 'with kubectl:NAMESPACE/POD: the kubeconfig file (default: as for kubectl, KUBECONFIG or ~/.kube/config)');
}

/** `--context`, for a pod of a cluster. */
export function contextOption(): Option {
	return new Option('--context <name>', 'with kubectl:NAMESPACE/POD: the context of the kubeconfig (default: its current one)');
}

/** `--debug-image`, for a pod of a cluster. */
export function debugImageOption(): Option {
	return new Option('--debug-image <image>', 'with kubectl:NAMESPACE/POD: read the rules that the pod has, by an ephemeral container of this image, which stays in the pod\'s status (default: derive them from the manifest)');
}

/** `--proxy-gid`. `who` is the proxy as the command calls it. */
export function proxyGroupOption(who = 'proxy'): Option {
	return new Option('--proxy-gid <n>', `group of the ${who} (default: the same number as its user)`).argParser(readId);
}

/** `--agent-uid`. */
export function agentUserOption(): Option {
	return new Option('--agent-uid <n>', 'user of the agent (default: the proxy\'s)').argParser(readId);
}

/** `--agent-gid`. */
export function agentGroupOption(): Option {
	return new Option('--agent-gid <n>', 'group of the agent (default: the same number as its user)').argParser(readId);
}

/** `--format`, with the formats that the command has. `more` follows their names. */
export function formatOption(known: readonly Format[], more = ''): Option {
	return offering({kind: 'words', words: known}, new Option('--format <name>', `output format: ${known.join(', ')}${more}`).argParser(formatReader(known)).default('text'));
}

/** `--output`, with the formats that the command has. `what` is what goes to standard output otherwise. */
export function outputOption(known: readonly Format[], what = 'report'): Option {
	return offering({kind: 'report', formats: known}, repeatable(new Option('--output <file>', `write the ${what} to this file instead of stdout; FORMAT=FILE writes a further one in that format, and can be repeated`).argParser(destinationReader(known))));
}

/** `--check`. */
export function checkOption(): Option {
	return new Option('--check', 'read and check everything, print what would be sent, and stop; sends nothing and needs no root');
}

/** `--watch`. */
export function watchOption(): Option {
	return new Option('--watch', 'run again what changed whenever a file changes that was read: rules, manifests, scenarios, the configuration file; until a signal');
}

/** `--quiet`. `what` it silences besides progress and remarks. */
export function quietOption(what = ', and no text report if everything passed'): Option {
	return new Option('--quiet', `print no progress and no remarks${what}`);
}

/** `--color`. */
export function colorOption(): Option {
	return new Option('--color <when>', 'when to color text: auto (on a terminal, unless NO_COLOR is set), always or never').choices(colorChoices).default('auto');
}

/** `--proxy`: which program is the proxy. */
export function proxyOption(): Option {
	return new Option('--proxy <name>', `program to use as the proxy: stub (part of the testbed), or a real one on this machine (${anyOf(otherProxies)})`).choices(proxyNames).default('stub');
}

/** The option that names the program of a proxy: `--envoy`. */
export function programOption(name: OtherProxy): Option {
	return new Option(`--${name} <file>`, `with --proxy ${name}: the program (default: the one in the variable ${programVariableOf(name)}, or ${name} in PATH)`);
}

/** `--timeout`, in milliseconds. */
export function timeoutOption(): Option {
	return new Option('--timeout <ms>', 'how long to wait for one connection; one that takes longer is reported as a gap').argParser(text => readNumber(text, {min: 1, max: 600_000})).default(5000);
}

/** `--limit`, in packet classes. */
export function limitOption(): Option {
	return new Option('--limit <n>', 'maximum number of packet classes per family; if there are more, nothing is sent and the exit status is 3').argParser(text => readNumber(text, {min: 1, max: 10_000_000})).default(defaultClassLimit);
}

/** `--trace-buffer`, in bytes. */
export function bufferOption(): Option {
	return new Option('--trace-buffer <bytes>', 'size of the kernel\'s queue for trace events').argParser(text => readNumber(text, {min: 1, max: 2_147_483_647})).default(defaultBufferBytes);
}
