/**
Options that several commands have, each with one meaning and one text.
*/

import {Option} from 'commander';
import {readNumber, readServers} from '../parsers.js';
import {defaultBufferBytes} from '../../tracer/trace-source.js';

/** `--dns-servers`. */
export function serversOption(): Option {
	return new Option('--dns-servers <list>', 'name servers in the pod\'s resolv.conf, for DNS capture (default: 10.96.0.10)').argParser(readServers);
}

/** `--allow-modules`: rules may name matches and targets that are not known here. */
export function modulesOption(): Option {
	return new Option('--allow-modules', 'accept rules with matches and targets that the testbed does not know; iptables loads a library, and the kernel a module, by each such name');
}

/** `--allow-outside`: scenarios may name files anywhere. */
export function outsideOption(): Option {
	return new Option('--allow-outside', 'let scenarios read rules from files outside their own folder');
}

/** `--timeout`, in milliseconds. */
export function timeoutOption(): Option {
	return new Option('--timeout <ms>', 'longest wait for one connection; a longer one is reported as a gap').argParser(text => readNumber(text, {min: 1, max: 600_000})).default(5000);
}

/** `--trace-buffer`, in bytes. */
export function bufferOption(): Option {
	return new Option('--trace-buffer <bytes>', 'how many bytes of trace events the kernel may queue').argParser(text => readNumber(text, {min: 1, max: 2_147_483_647})).default(defaultBufferBytes);
}
