/**
The command line: parses and dispatches. Each command is a file in `commands/`, loaded when it is called.
*/

import {Command, CommanderError, Option} from 'commander';
import {
	defaultLanes, formats, readBackends, readFamilies, readFormat, readId, readMark, readNumber, readTypes,
} from './parsers.js';
import {coverageCommandLine} from './definitions/coverage.js';
import {diffCommandLine} from './definitions/diff.js';
import {mutateCommandLine} from './definitions/mutate.js';
import {recordCommandLine, verifyCommandLine} from './definitions/baseline.js';
import {placeNames, senders} from '../inputs/probe-target.js';
import type {PrintFlags} from './output/write-runs.js';
import type {ProbeFlags} from './commands/probe.js';
import type {RulesFlags} from './commands/rules.js';
import type {RunFlags} from './commands/run.js';
import {exitStatusOf} from '../errors.js';
import {guardProcess, reportError} from './faults.js';
import {guardStreams, tell, writeOut} from '../system/streams.js';
import {
	bufferOption, modulesOption, outsideOption, serversOption, timeoutOption,
} from './definitions/shared-options.js';
import {complaintAboutNpm, hintsOfNpm, type NpmStart} from './taken-by-npm.js';

const version = '0.1.0';

const examples = `
Examples:
  testbed                                  the six types, newest release, IPv4
  testbed run --family both --backend iptables-legacy
  testbed run --types 1,4b --verbose       two types, every traversal
  testbed run --agent-uid 0                an agent that is not the proxy's user
  testbed run --rules 'release:1.30 -u 2000' --proxy-uid 2000
  iptables-save | testbed run --rules -    the rules of your own pod
  testbed run --rules pod:pod.yaml         the rules that a manifest leads to
  testbed run --rules 'release:1.30 --redirect-dns -m TPROXY'
  testbed run --backend all                the newest release, three back ends
  testbed run --rules release:all          every release, iptables-nft and legacy
  testbed run --rules release:1.99         one to come: the newest rules known
  testbed run --format json > report.json
  testbed run scenarios/                   all scenarios of a folder, every back end
  testbed run --record run.testbed         to judge it again: testbed replay

Exit status: 0 all passed, 1 something failed, 2 usage or input, 3 inconclusive
(or a fault of the testbed), 4 this machine cannot do it (the message names the
command that mends it), 130 interrupted.
From a checkout, write "npm run testbed -- " for "testbed ".`;

function runCommandLine(setStatus: (status: number) => void): Command {
	return new Command('run')
		.description('send the six types of sidecar traffic and judge what the kernel did')
		.argument('[scenario...]', 'scenario files (.yaml, .yml, .json), or folders of them, in place of the six types')
		.option('--rules <input>', 'release:VERSION [arguments of istio-iptables], release:latest, release:all, ambient:VERSION [options], pod:FILE, a dump\'s file, or - (default: the newest release)')
		.option('--rules6 <file>', 'the IPv6 dump that belongs to the one in --rules')
		.option('--backend <list>', 'iptables-nft, iptables-legacy, nftables, several, or all (default: the input\'s; iptables-nft)', readBackends)
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4'], 'ipv4'))
		.addOption(serversOption())
		.addOption(modulesOption())
		.addOption(outsideOption())
		.option('--cni', 'with pod:FILE: istio-cni writes the rules, whatever the manifest says')
		.option('--release <version>', 'with pod:FILE: the release, where no image tells it (default: the newest)')
		.option('--types <list>', '1 to 6, and 4b (app to its own pod\'s address) (default: 1,2,3,4,5,6)', readTypes)
		.option('--proxy-uid <n>', 'user of the proxy stub (default: 1337; under TPROXY 0 with group 1337, as it is injected)', readId)
		.option('--proxy-gid <n>', 'group of the proxy stub (default: the number of its user)', readId)
		.option('--agent-uid <n>', 'user of the agent (default: the proxy\'s)', readId)
		.option('--agent-gid <n>', 'group of the agent (default: that of its user)', readId)
		.option('--app-uid <n>', 'user of the app', readId, 1000)
		.option('--app-gid <n>', 'group of the app (default: the number of its user)', readId)
		.addOption(new Option('--format <name>', `what to print on stdout: ${formats.join(', ')} (annotations; the summary goes to the file that GITHUB_STEP_SUMMARY names, or behind them)`).argParser(readFormat).default('text'))
		.option('--output <file>', 'write the report there instead of stdout')
		.option('--record <file>', 'also write there what the kernel said, for testbed replay')
		.option('--verbose', 'show every traversal with hook, table and chain')
		.option('--keep', 'keep the namespaces under names and print how to enter them')
		.addOption(timeoutOption())
		.option('--lanes <n>', 'how many rule sets run at once, when there are several', text => readNumber(text, {min: 1, max: 64}), defaultLanes)
		.addOption(bufferOption())
		.addHelpText('after', examples)
		.action(async (scenarios: readonly string[], flags: RunFlags, command: Command) => {
			if (scenarios.length > 0) {
				const {scenarioCommand} = await import('./commands/scenario.js');
				const given = command.options.filter(option => command.getOptionValueSource(option.attributeName()) === 'cli').map(({long}) => long ?? '');
				setStatus(await scenarioCommand(scenarios, {flags, given}));
				return;
			}

			const {runCommand} = await import('./commands/run.js');
			setStatus(await runCommand(flags));
		});
}

const rulesExamples = `
Text output is what the back end's own program reads; addresses and routes that
go with the rules stand in it as comments. iptables-restore takes one family at
a time: let --family pick it. It replaces the tables of wherever it runs: give
it a network namespace of its own (unshare -n), never the machine's.
--diff compares what rules match and do, by their roles: numbers, comments, and
words that mean the same do not count.

Examples:
  testbed rules                                   the newest release, IPv4
  testbed rules 'release:1.30 -m TPROXY' | unshare -n iptables-restore --test
  testbed rules release:1.30 --family ipv6 | unshare -n ip6tables-restore --test
  testbed rules release:1.30 --explain            what each rule is for
  iptables-save | testbed rules - --explain       the rules of your own pod
  testbed rules release:1.30 --diff pod.rules     is the pod as it should be?
  testbed rules --backend iptables-nft,nftables --diff release:1.30
                                                  the same by two back ends
  testbed rules release:1.30 --format json > rules.json

Exit status: 0 printed, or equal; 1 the two sets differ; 2 usage or input.
Needs no root, and no iptables or nft on the machine.`;

function rulesCommandLine(setStatus: (status: number) => void): Command {
	return new Command('rules')
		.description('print rules, explain them, or compare two sets; the kernel is not asked')
		.argument('[input]', 'release:VERSION [arguments of istio-iptables], ambient:VERSION, pod:FILE, a dump\'s file, or - (default: the newest release)')
		.option('--rules6 <file>', 'the IPv6 dump that belongs to the input')
		.option('--backend <list>', 'iptables-nft, iptables-legacy or nftables; with --diff also one for each side (default: the input\'s; iptables-nft)', readBackends)
		.addOption(new Option('--family <name>', 'ipv4, ipv6 or both').argParser(readFamilies).default(['ipv4'], 'ipv4'))
		.addOption(new Option('--format <name>', 'what to print on stdout').choices(['text', 'json']).default('text'))
		.option('--explain', 'for each rule: what it is for, since which release, and which types should meet it')
		.option('--diff <input>', 'compare with another input: moved, changed, removed and added rules')
		.option('--diff6 <file>', 'the IPv6 dump that belongs to the one in --diff')
		.addOption(serversOption())
		.option('--cni', 'with pod:FILE: istio-cni writes the rules, whatever the manifest says')
		.option('--release <version>', 'with pod:FILE: the release, where no image tells it (default: the newest)')
		.addHelpText('after', rulesExamples)
		.action(async (input: string | undefined, flags: RulesFlags) => {
			const {rulesCommand} = await import('./commands/rules.js');
			setStatus(await rulesCommand(input, flags));
		});
}

const probeExamples = `
One connection is opened as asked; the answer is the way that it took on the
kernel, and for each rule that was asked what it is for, or why it did not
match.

Examples:
  testbed probe --from app --to 10.96.0.1:443
  testbed probe --from app --uid 1337 --to remote:8080     as the proxy's user
  testbed probe --from agent --uid 0 --gid 1337 --to istiod:15012
  testbed probe --from remote --to pod:9090
  testbed probe --from app --to [2001:db8::1]:443 --format json
  testbed probe --from app --to vip:8080 --rules 'release:1.30 -u 64535,1337'
  testbed probe --proto udp --to resolver:53 \\
    --rules 'release:1.30 --redirect-dns'
  testbed probe --batch probes.jsonl --follow > answers.jsonl

A line of a batch has the keys from, to, family, uid, gid, proto, source,
sourcePort, bindDevice, mark and id; only to must be there:
  {"from": "app", "uid": 1337, "to": "10.96.0.1:443"}
An answer has path, stops, outcome (delivered, refused, dropped, unreachable,
unknown, loop or inconclusive), gaps, and the id of its line.

Places: ${placeNames}.
Exit status: 0 the kernel has answered, 2 usage or input, 3 inconclusive,
4 this machine cannot do it.`;

function probeCommandLine(setStatus: (status: number) => void): Command {
	return new Command('probe')
		.description('one connection: which way it takes, which rule decides, and why not the others')
		.addOption(new Option('--from <actor>', 'who connects').choices(senders).default('app'))
		.option('--to <destination>', 'ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT')
		.option('--uid <n>', 'user of the sender (default: as in run)', readId)
		.option('--gid <n>', 'group of the sender (default: the number of its user)', readId)
		.option('--source <address>', 'the sender\'s own address to connect from (default: what the route says)')
		.option('--mark <n>', 'mark of the sender\'s socket: 1337 or 0x539 (default: none)', readMark)
		.option('--bind-device <name>', 'device that the sender\'s socket is bound to (default: none)')
		.addOption(new Option('--proto <name>', 'of the first packet').choices(['tcp', 'udp']).default('tcp'))
		.addOption(new Option('--family <name>', 'of a place; an address says it itself (default: ipv4)').choices(['ipv4', 'ipv6']))
		.option('--rules <input>', 'as of run (default: the newest release)')
		.option('--rules6 <file>', 'the IPv6 dump that belongs to the one in --rules')
		.option('--backend <name>', 'iptables-nft, iptables-legacy or nftables (default: the input\'s; iptables-nft)', readBackends)
		.addOption(serversOption())
		.addOption(modulesOption())
		.option('--cni', 'with pod:FILE: istio-cni writes the rules, whatever the manifest says')
		.option('--release <version>', 'with pod:FILE: the release, where no image tells it (default: the newest)')
		.option('--proxy-uid <n>', 'user of the proxy stub (default: as in run)', readId)
		.option('--proxy-gid <n>', 'group of the proxy stub (default: the number of its user)', readId)
		.option('--agent-uid <n>', 'user of the agent (default: the proxy\'s)', readId)
		.option('--agent-gid <n>', 'group of the agent (default: that of its user)', readId)
		.option('--batch <file>', 'ask many at once: one JSON object a line, from a file or - (stdin); the answers are JSON lines in the same order')
		.option('--follow', 'with --batch: also send what the proxy would send on')
		.option('--first-leg', 'show only what the connection itself met, not what the proxy did with it')
		.addOption(new Option('--format <name>', 'what to print on stdout').choices(['text', 'json']).default('text'))
		.option('--verbose', 'show every traversal with hook, table and chain, and every rule of long chains')
		.addOption(timeoutOption())
		.addOption(bufferOption())
		.addHelpText('after', probeExamples)
		.action(async (flags: ProbeFlags, command: Command) => {
			if (flags.batch !== undefined) {
				const {probeBatchCommand} = await import('./commands/probe-batch.js');
				const given = command.options.map(option => option.attributeName()).filter(name => command.getOptionValueSource(name) === 'cli');
				setStatus(await probeBatchCommand(flags.batch, flags, given));
				return;
			}

			const {probeCommand} = await import('./commands/probe.js');
			setStatus(await probeCommand(flags));
		});
}

const replayExamples = `
Everything is read, decoded and judged again from what the kernel and its tools
said during the run; the report is the one that the run printed, to the byte.

Examples:
  testbed run --record run.testbed         play, and write down what came of it
  testbed replay run.testbed               anywhere: no root, no Linux, no iptables
  testbed replay run.testbed --verbose     every traversal of that run
  testbed replay run.testbed --format json

Exit status: that of the run; 2 for a file that is no whole recording.`;

function replayCommandLine(setStatus: (status: number) => void): Command {
	return new Command('replay')
		.description('judge again what run --record has written; the kernel is not asked')
		.argument('<file>', 'the recording, or - (stdin)')
		.addOption(new Option('--format <name>', `what to print on stdout: ${formats.join(', ')}`).argParser(readFormat).default('text'))
		.option('--output <file>', 'write the report there instead of stdout')
		.option('--verbose', 'show every traversal with hook, table and chain')
		.addHelpText('after', replayExamples)
		.action(async (file: string, flags: PrintFlags) => {
			const {replayCommand} = await import('./commands/replay.js');
			setStatus(await replayCommand(file, flags));
		});
}

function createProgram(setStatus: (status: number) => void): Command {
	const program = new Command('testbed')
		.description('Which way does the traffic of a sidecar mesh take? The kernel is the judge.')
		.option('--version', 'versions of the testbed, the kernel, iptables, nft and Node')
		.addHelpText('after', examples)
		.helpCommand(true)
		.action(async ({version: wanted}: {version?: boolean}) => {
			if (wanted === true) {
				const {printVersions} = await import('./commands/versions.js');
				await writeOut(await printVersions(version));
			}
		});
	program.addCommand(runCommandLine(setStatus));
	program.addCommand(probeCommandLine(setStatus));
	program.addCommand(diffCommandLine(setStatus));
	program.addCommand(mutateCommandLine(setStatus));
	program.addCommand(coverageCommandLine(setStatus));
	program.addCommand(recordCommandLine(setStatus));
	program.addCommand(verifyCommandLine(setStatus));
	program.addCommand(rulesCommandLine(setStatus));
	program.addCommand(replayCommandLine(setStatus));
	program.command('doctor')
		.description('try on this machine everything that a run needs, and name what is missing')
		.addOption(new Option('--format <name>', 'what to print').choices(['text', 'json']).default('text'))
		.action(async ({format}: {format: 'text' | 'json'}) => {
			const {doctorCommand} = await import('./commands/doctor.js');
			setStatus(await doctorCommand(format));
		});
	program.command('clean')
		.description('remove the namespaces that --keep left, and only those')
		.action(async () => {
			const {cleanCommand} = await import('./commands/clean.js');
			setStatus(await cleanCommand());
		});
	return program;
}

/** The long options of all commands and the commands' names, from their definitions. */
export function knownToCommandLine(program = createProgram(() => undefined)): Parameters<typeof complaintAboutNpm>[1] {
	const defined = [program, ...program.commands].flatMap(({options}) => options);
	const options = new Map(defined.flatMap(({long, required, optional}) => long ? [[long, {long, takesValue: required || optional}]] : []));
	return {options: [...options.values()], commands: new Set(program.commands.map(command => command.name()))};
}

/**
The program: arguments without `node` and the script's name → exit status. Prints its own errors, and stands for the whole process: streams that break and errors that nobody caught are handled here.

`npm` is how npm started it, if it did.
*/
export async function main(argv: readonly string[], {npm}: {readonly npm?: NpmStart | undefined} = {}): Promise<number> {
	guardStreams();
	const about = {argv, version};
	guardProcess(about);
	try {
		return await dispatch(argv, npm);
	} catch (error) {
		const status = reportError(error, about);
		if (npm !== undefined) {
			tell(hintsOfNpm(error, argv, npm).map(line => `${line}\n`).join(''));
		}

		return status;
	}
}

async function dispatch(argv: readonly string[], npm: NpmStart | undefined): Promise<number> {
	let status = 0;
	const program = createProgram(result => {
		status = result;
	});
	// What commander prints goes the way of everything else.
	const printed: string[] = [];
	for (const command of [program, ...program.commands]) {
		command.exitOverride();
		command.configureOutput({
			writeOut(text) {
				printed.push(text);
			},
			writeErr: tell,
		});
	}

	const complaint = npm === undefined ? undefined : complaintAboutNpm(argv, knownToCommandLine(program), npm);
	if (complaint !== undefined) {
		tell(`${complaint}\n`);
		return exitStatusOf.USAGE;
	}

	// Anything else than a command belongs to `run`, which is what `testbed` alone means.
	const known = new Set([...program.commands.map(command => command.name()), 'help', '--help', '-h', '--version']);
	const [first] = argv;
	try {
		await program.parseAsync(first !== undefined && known.has(first) ? [...argv] : ['run', ...argv], {from: 'user'});
		return status;
	} catch (error) {
		if (!(error instanceof CommanderError)) {
			throw error;
		}

		// Commander has printed it.
		if (error.code === 'commander.unknownOption' && argv.some(word => /^(?:release|ambient):/u.test(word))) {
			tell('→ Options of the rules belong into the quotes of their input: \'release:1.30 --redirect-dns\'\n');
		}

		await writeOut(printed.join(''));
		return error.exitCode === 0 ? 0 : exitStatusOf.USAGE;
	}
}
