import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {leastCapabilities, runInContainer, seccompFile} from '../image/container.mjs';
import {privateCommand, run} from '../private.mjs';
import {environmentOf, withoutNpm} from '../settings.mjs';

/** Several minutes on a slow mirror. */
const buildLimitMs = 15 * 60_000;

/** How long a container may take that is expected to fail: without some capabilities, it waits for processes that it cannot end. */
const brokenLimitMs = 60_000;

const dump = '*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -m owner ! --uid-owner 1337 -j REDIRECT --to-ports 15001\nCOMMIT\n';

/** Clones the commit, builds the image and unpacks it; returns the bundle, or why there is none. */
async function makeBundle(context, folder) {
	const checkout = path.join(folder, 'checkout');
	const archive = path.join(folder, 'image.tar');
	const bundle = path.join(folder, 'bundle');
	const root = path.join(bundle, 'root');
	fs.mkdirSync(root, {recursive: true});
	const env = {...withoutNpm(process.env), ...environmentOf(context.settings, context.certificatesFile, context.cache)};
	const storage = `--storage-driver vfs --root ${folder}/storage --runroot ${folder}/run`;
	for (const [what, script] of [
		['git clone', `git clone --quiet ${context.source} ${checkout}`],
		['npm run image', `cd ${checkout} && npm run --silent image -- --output ${archive}`],
		// What a container engine does with it: its configuration and its layers.
		['buildah from', `buildah ${storage} from --name testbed-image oci-archive:${archive} && cp -a "$(buildah ${storage} mount testbed-image)/." ${root} && buildah ${storage} inspect --format '{{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}}' testbed-image && buildah ${storage} rm testbed-image`],
	]) {
		context.say(what);
		const {status, ending, text} = await run(privateCommand('', ['sh', '-euc', script]), {env, cwd: folder, onLine() {}, limitMs: buildLimitMs}); // eslint-disable-line no-await-in-loop -- Each needs the one before.
		if (status !== 0) {
			return {problem: `${what} ended with ${ending}: ${text.trim().split('\n').slice(-3).join(' ')}`};
		}

		if (what === 'buildah from' && !text.includes('[testbed] [run]')) {
			return {problem: `the image starts something else: ${text.trim()}`};
		}
	}

	return {bundle};
}

/** What the image has to do with the least rights. Each returns a complaint. */
const trials = [
	['six types, all back ends, both families', ['run', '--backend', 'all', '--family', 'both', '--format', 'json', '--output', 'report.json'], ({status, work}) => {
		const {summary} = JSON.parse(fs.readFileSync(path.join(work, 'report.json'), 'utf8'));
		return status === 0 && summary.passed >= 36 && summary.failed + summary.inconclusive === 0 ? undefined : `status ${status}, ${JSON.stringify(summary)}`;
	}],
	['rules from a mount, a report to it', ['run', '--rules', 'my.rules', '--types', '2', '--output', 'junit=out.xml'], ({status, work}) => status === 0 && fs.readFileSync(path.join(work, 'out.xml'), 'utf8').includes('<testcase') ? undefined : `status ${status}`],
	['rules from standard input', ['run', '--rules', '-', '--types', '2'], ({status, text}) => status === 0 && text.includes('1 passed') ? undefined : `status ${status}`, 'my.rules'],
	['probe', ['probe', '--to', 'remote:8080', '--brief'], ({status, text}) => status === 0 && /^answered: app > /m.test(text) ? undefined : `status ${status}: ${text}`],
	['diff', ['diff', 'release:1.30', 'release:1.30 -x 203.0.113.0/24', '--family', 'ipv4'], ({status, text}) => status === 1 && text.includes('203.0.113') ? undefined : `status ${status}`],
	['doctor', ['doctor'], ({status, text}) => status === 0 && text.includes('Every command works on every back end.') ? undefined : `status ${status}: ${text.trim().split('\n').at(-1)}`],
];

/** The last words of the testbed in an output: an error, or the line of the counts. */
function saidIn(text) {
	return text.split('\n').findLast(line => /^testbed: (?!\d+ of|running|building)|passed, |inconclusive/.test(line))?.trim() ?? 'nothing of the testbed';
}

/** What is wrong with a run that lacks a right; undefined if it failed as it should: by the testbed's own status, or because it never ended. A container that did not start shows nothing. */
export function judgeWithout({status, text}) {
	if (status === 0) {
		return 'the six types pass as well';
	}

	const hasStarted = /^testbed: /m.test(text);
	return hasStarted && [-1, 1, 3, 4].includes(status) ? undefined : `it did not start (status ${status}): ${text.trim().split('\n').at(-1)}`;
}

/** Runs all trials, then the six types without each capability in turn, and with a protected /proc/sys: none of those may pass. */
async function tryImage(bundle, folder, say) {
	const work = path.join(folder, 'work');
	fs.mkdirSync(work);
	fs.writeFileSync(path.join(work, 'my.rules'), dump);
	const complaints = [];
	for (const [name, given, judge, input] of trials) {
		const seen = await runInContainer(given, {bundle, work, capabilities: leastCapabilities, ...(input === undefined ? {} : {input: path.join(work, input)})}); // eslint-disable-line no-await-in-loop -- One container at a time.
		let complaint;
		try {
			complaint = judge({...seen, work});
		} catch (error) {
			complaint = `${error.message} (${seen.ending}: ${seen.text.trim().split('\n').slice(-2).join(' ')})`;
		}

		say(`${complaint === undefined ? 'ok  ' : 'FAIL'} ${name}${complaint === undefined ? '' : `: ${complaint}`}`);
		complaints.push(...(complaint === undefined ? [] : [`${name}: ${complaint}`]));
	}

	for (const [name, options] of [
		...leastCapabilities.map(capability => [`without ${capability}`, {capabilities: leastCapabilities.filter(other => other !== capability)}]),
		['with a protected /proc/sys', {capabilities: leastCapabilities, isProcSysReadOnly: true}],
	]) {
		const seen = await runInContainer(['run', '--backend', 'all'], {bundle, work, limitMs: brokenLimitMs, ...options}); // eslint-disable-line no-await-in-loop -- As above.
		const complaint = judgeWithout(seen);
		say(`${complaint === undefined ? 'ok  ' : 'FAIL'} ${name}: status ${seen.status}, ${saidIn(seen.text)}`);
		complaints.push(...(complaint === undefined ? [] : [`${name}: ${complaint}`]));
	}

	const {text} = await runInContainer(['--version'], {bundle, work, capabilities: leastCapabilities});
	if (!text.includes('node ')) {
		complaints.push(`--version: ${text.trim()}`);
	}

	return {complaints, versions: Object.fromEntries(text.trim().split('\n').map(line => line.split(' ', 2)))};
}

export const imageCells = [{
	part: 'image', machine: 'the image, least capabilities', needs: ['mmdebstrap', 'buildah', 'crun', 'git'], inCi: false,
	async run(context) {
		if (!fs.existsSync(seccompFile)) {
			return {result: 'not tried: golang-github-containers-common missing → apt-get install golang-github-containers-common'};
		}

		const folder = path.join(context.work, 'image');
		fs.mkdirSync(folder);
		try {
			const {bundle, problem} = await makeBundle(context, folder);
			if (bundle === undefined) {
				return {result: `failed: ${problem}`};
			}

			const {complaints, versions: {node = '', iptables = '', nft = '', kernel = ''}} = await tryImage(bundle, folder, context.say);
			const release = fs.readFileSync(path.join(bundle, 'root/etc/os-release'), 'utf8');
			return {
				distribution: /^PRETTY_NAME="(?<name>.*)"$/m.exec(release)?.groups?.name ?? '', node, iptables, nft, kernel,
				result: complaints.length === 0 ? 'passed' : `failed: ${complaints.join('; ')}`,
			};
		} finally {
			fs.rmSync(folder, {recursive: true, force: true});
		}
	},
}];
