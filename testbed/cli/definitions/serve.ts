/**
The command line of `testbed serve`.
*/

import {isIP} from 'node:net';
import {Command, InvalidArgumentError, Option} from 'commander';
import {readBackend, readId, readNumber} from '../parsers.js';
import type {ServeFlags} from '../commands/serve.js';
import {helpText} from '../output/help-text.js';
import {
	backendHelp, bufferOption, cniOption, contextOption, debugImageOption, kubeconfigOption, modulesOption, proxyGroupOption, releaseOption, serversOption, timeoutOption,
} from './shared-options.js';

const examples = `
Serves a page that shows the rules as the kernel has them, and the path of each
connection through the rules, drawn from real packets. On the page, you can send
traffic, step through it, change a rule and see what no longer works, guess the
deciding rule, and compare releases.

Examples:
  testbed serve                            the newest release
  testbed serve 'release:1.24 --redirect-dns'
  iptables-save | testbed serve -          the rules of your pod
  testbed serve --port 8137                for ssh -L 8137:127.0.0.1:8137 HOST
  testbed serve --listen 192.168.1.20      others in the room can watch

The URL contains a token. Anyone who has it can act, but only from this machine.
With --listen there is a second URL that only lets people watch. Both use plain
HTTP, so anyone on the network can read what is shown. The server stops on
Ctrl-C, or after --idle minutes without a request, and removes its sandbox.

Exit status: 0 stopped because nobody used it, 2 usage or input, 4 this machine
cannot do it, 130 interrupted.`;

export function serveCommandLine(setStatus: (status: number) => void): Command {
	return new Command('serve')
		.description('serve a page that shows paths rule by rule, for a workshop or for yourself')
		.argument('[rules]', 'as --rules for run (default: the newest release)')
		.option('--rules6 <file>', 'the IPv6 dump that goes with the dump in [rules]')
		.option('--backend <name>', backendHelp.one, readBackend)
		.addOption(new Option('--family <name>', 'the family to start with').choices(['ipv4', 'ipv6']).default('ipv4'))
		.option('--port <n>', 'port of the page; 0 means any free port', text => readNumber(text, {min: 0, max: 65_535}), 0)
		.option('--listen <address>', 'an address of this machine on which others can watch', readListen)
		.option('--idle <minutes>', 'stop after this time without a request', readMinutes, 60)
		.addOption(serversOption())
		.addOption(kubeconfigOption())
		.addOption(contextOption())
		.addOption(debugImageOption())
		.addOption(modulesOption())
		.addOption(cniOption())
		.addOption(releaseOption())
		.option('--proxy-uid <n>', 'user of the proxy stub (default: as in run)', readId)
		.addOption(proxyGroupOption('proxy stub'))
		.addOption(timeoutOption())
		.addOption(bufferOption())
		.addHelpText('after', helpText(examples))
		.action(async (rules: string | undefined, flags: ServeFlags) => {
			const {serveCommand} = await import('../commands/serve.js');
			setStatus(await serveCommand(rules, flags));
		});
}

/** A single address: nobody can tell who listens if the server is on all of them. */
function readListen(text: string): string {
	if (isIP(text) === 0 || text === '0.0.0.0' || text === '::') {
		throw new InvalidArgumentError('it must be one address of this machine, such as 192.168.1.20.');
	}

	return text;
}

/** Minutes, possibly with a fraction. */
function readMinutes(text: string): number {
	const minutes = /^\d{1,5}(?:\.\d{1,4})?$/u.test(text) ? Number(text) : 0;
	if (minutes <= 0 || minutes > 10_080) {
		throw new InvalidArgumentError('it must be a number of minutes, at most 10080, which is a week.');
	}

	return minutes;
}
