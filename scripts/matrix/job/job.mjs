import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {runStep, steps} from './steps.mjs';

/*
The job of a cell: it runs on the machine that is tried, with that machine's own Node (18 or newer), and needs nothing but the files of this folder. So it can try a commit that has no matrix yet.
*/

const help = `Usage: node job.mjs --out DIR --steps NAME,… [--source REPOSITORY --checkout DIR] [--batch FILE] [--testbed COMMAND]

Tries one machine. Steps: ${Object.keys(steps).join(', ')}.

  --out DIR           what the commands print, and result.json with what each step saw
  --source, --checkout  the repository that the steps "first" and "refused" clone, and where to
  --batch FILE        the probes of the step "batch"
  --testbed COMMAND   how to start the testbed (default: npm run -s testbed --)

Exit status: 0 every step did what it should, 1 some did not, 2 usage.`;

function optionsOf(argv) {
	const options = {out: undefined, steps: undefined, source: '', checkout: '/', batch: '', testbed: 'npm run -s testbed --'};
	for (let index = 0; index < argv.length; index += 2) {
		const name = argv[index].replace(/^--/, '');
		if (!argv[index].startsWith('--') || !Object.hasOwn(options, name) || argv[index + 1] === undefined) {
			return undefined;
		}

		options[name] = argv[index + 1];
	}

	const names = options.steps?.split(',') ?? [];
	return options.out === undefined || names.length === 0 || names.some(name => !Object.hasOwn(steps, name)) ? undefined : {...options, steps: names};
}

/** A program's version as it prints it; empty if the program is missing. */
function versionBy(program, given, pattern) {
	// Debian keeps the netfilter programs in folders that an ordinary user's PATH lacks.
	const {stdout} = spawnSync(program, given, {encoding: 'utf8', env: {...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`}});
	return pattern.exec(stdout ?? '')?.[1] ?? '';
}

/** The machine, as described by its own programs. */
function describeMachine() {
	const release = fs.existsSync('/etc/os-release') ? fs.readFileSync('/etc/os-release', 'utf8') : '';
	return {
		distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? '',
		npm: versionBy('npm', ['--version'], /(\d\S*)/),
		node: process.versions.node,
		iptables: versionBy('iptables', ['--version'], /v(\d\S*)/),
		nft: versionBy('nft', ['--version'], /v(\d\S*)/),
		kernel: fs.readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
	};
}

async function main(options) {
	fs.mkdirSync(options.out, {recursive: true});
	const cwd = options.source === '' && options.checkout === '/' ? options.out : options.checkout;
	const job = {
		...options,
		testbed: given => [...options.testbed.split(' '), ...given],
		run: (name, command, extra = {}, folder = cwd) => runStep({out: options.out, env: process.env}, name, command, {extra, cwd: folder}),
	};
	const results = [];
	const write = () => {
		fs.writeFileSync(path.join(options.out, 'result.json'), `${JSON.stringify({machine: describeMachine(), steps: results}, undefined, '\t')}\n`);
	};

	for (const name of options.steps) {
		const start = performance.now();
		let seen;
		try {
			seen = await steps[name](job); // eslint-disable-line no-await-in-loop -- Each step depends on the previous ones.
		} catch (error) {
			seen = {ok: false, reason: `the job itself failed: ${error.message}`};
		}

		const seconds = Math.round((performance.now() - start) / 100) / 10;
		results.push({name, ...seen, seconds});
		console.log(`${seen.ok ? 'ok  ' : 'FAIL'} ${name.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${seen.reason}`);
		// Written after each step, so that an aborted job leaves its results so far.
		write();
		if (!seen.ok && ['first', 'refused'].includes(name)) {
			break; // The other steps depend on this one.
		}
	}

	return results.every(({ok}) => ok) ? 0 : 1;
}

if (process.argv.includes('--help')) {
	console.log(help);
} else {
	const options = optionsOf(process.argv.slice(2));
	if (options === undefined) {
		console.error(help);
		process.exitCode = 2;
	} else {
		process.exitCode = await main(options);
	}
}
