import {spawn} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const root = path.resolve(import.meta.dirname, '..');
const file = path.join(root, 'docs/what-moved.md');
const since = '1.10';
/** The option sets that the page compares, as rule inputs. */
const optionSets = ['release:all', 'release:all --redirect-dns', 'release:all -m TPROXY', 'release:all --redirect-dns --capture-all-dns --drop-invalid'];
const help = `Usage: npm run what-moved [-- --print]

Compares each release of Istio with the next on this kernel, with four option
sets, and writes what moved to docs/what-moved.md. --print prints it instead.
Needs what \`testbed diff\` needs: Linux and root.`;

/** What `testbed diff` finds, as it prints it for machines. Status 1 says that something moved, 3 that something is in doubt; the page tells of both. */
function compare() {
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [path.join(root, 'bin/testbed'), 'diff', '--consecutive', '--since', since, ...optionSets, '--format', 'json'], {stdio: ['ignore', 'pipe', 'inherit']});
		let text = '';
		child.stdout.setEncoding('utf8');
		child.stdout.on('data', chunk => {
			text += chunk;
		});
		child.on('error', reject);
		child.on('close', status => {
			if (status === 0 || status === 1 || status === 3) {
				resolve(JSON.parse(text));
			} else {
				reject(new Error(`testbed diff ended with exit status ${status}`));
			}
		});
	});
}

function escape(text) {
	return text.replaceAll('|', String.raw`\|`).replaceAll('<', '&lt;');
}

function printSuite({name, pairs}) {
	const moved = pairs.filter(({outcome}) => outcome === 'moved');
	const equal = pairs.filter(({outcome}) => outcome === 'equal').map(({from, to}) => `${from.release} → ${to.release}`);
	const [first] = pairs;
	const counts = first.compared.map(({family, classes, probes}) => `${classes} classes and ${probes} probes in ${family === 'ipv4' ? 'IPv4' : 'IPv6'}`).join(', ');
	return [
		`## \`${name.replace(/, [\w-]+$/u, '')}\``,
		'',
		`Compared in each pair: ${counts}.`,
		'',
		'| pair | traffic | was | is | because |',
		'|---|---|---|---|---|',
		...moved.flatMap(({from, to, moved: statements}) => statements.map(({traffic, families, was, is, because}) =>
			`| ${from.release} → ${to.release} | ${escape(traffic.join('; '))} (${families.join(', ')}) | ${escape(was.join(' > '))} | ${escape(is.join(' > '))} | ${escape(because.text)} |`)),
		'',
		`Equal: ${equal.length === 0 ? 'none' : equal.join(', ')}.`,
		...pairs.filter(({gaps}) => gaps.length > 0).flatMap(({from, to, gaps}) => ['', `In doubt, ${from.release} → ${to.release}: ${gaps.map(({message}) => escape(message)).join(' ')}`]),
		'',
	];
}

async function main() {
	const {suites} = await compare();
	const [{pairs: [{environment}]}] = suites;
	const text = [
		'# What moved from release to release',
		'',
		`Written by \`npm run what-moved\` on Linux ${environment.kernel}, iptables ${environment.iptables}, by the kernel: each release since ${since} is compared with the next, for every class of packets that the rules of any of them can tell apart. Where packets arrived is told leg by leg; \`direct\` is where they wanted to go. Equal is equal in where packets arrive; by which rules is not compared here.`,
		'',
		...suites.flatMap(suite => printSuite(suite)),
	].join('\n');
	if (process.argv.includes('--print')) {
		console.log(text);
	} else {
		fs.mkdirSync(path.dirname(file), {recursive: true});
		fs.writeFileSync(file, text);
	}
}

if (process.argv.includes('--help')) {
	console.log(help);
} else {
	await main();
}
