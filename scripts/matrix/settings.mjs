import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/*
How this machine reaches its registries, so that the roots and guests reach them in the same way: settings of npm, of apt, of the resolver, and certificates. Nothing here is known in advance; what this machine has not set is not set there.
*/

/** npm settings for reaching a registry. */
const npmKeys = ['registry', 'proxy', 'https-proxy', 'noproxy', 'strict-ssl'];

/** Variables with the same purpose for other programs. */
const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

function outputOf(program, given) {
	const {status, stdout} = spawnSync(program, given, {encoding: 'utf8', env: withoutNpm(process.env)});
	return status === 0 ? stdout.trim() : '';
}

/** An environment without the variables of an npm that started us: its settings and programs would take precedence over those of the tested npm. */
export function withoutNpm(env) {
	const kept = Object.entries(env).filter(([name]) => !/^npm_/i.test(name) && !['INIT_CWD', 'NODE', 'COLOR', 'NODE_OPTIONS'].includes(name));
	const folders = (env.PATH ?? '').split(path.delimiter).filter(folder => !/(?:^|\/)(?:node_modules\/\.bin|node-gyp-bin)\/?$/.test(folder));
	return {...Object.fromEntries(kept), PATH: folders.join(path.delimiter)};
}

/** The environment variable for an npm setting. */
const npmVariable = key => `npm_config_${key.replaceAll('-', '_')}`;

function npmSetting(key) {
	const value = outputOf('npm', ['config', 'get', key]);
	return ['', 'null', 'undefined'].includes(value) ? undefined : value;
}

/** The certificates that this machine trusts in addition to Node's own, as one PEM text; empty if there are none. */
function certificates() {
	const files = [npmSetting('cafile'), process.env.NODE_EXTRA_CA_CERTS].filter(file => file !== undefined && fs.existsSync(file));
	return [...new Set(files.map(file => fs.readFileSync(file, 'utf8')))].join('\n');
}

/** The settings apt needs to reach its mirror from here, as lines of apt.conf. */
function aptLines() {
	return outputOf('apt-config', ['dump']).split('\n').filter(line => /^acquire::(?:https?::proxy|https?::cainfo|check-valid-until|check-date|retries)\b.*"[^"]+";$/i.test(line));
}

/** The Debian mirror that this machine uses, else Debian's own. */
function debianMirror() {
	const targets = outputOf('apt-get', ['indextargets', '--format', '$(REPO_URI)']).split('\n');
	return (targets.find(uri => /\/debian\/?$/.test(uri)) ?? 'http://deb.debian.org/debian').replace(/\/$/, '');
}

/**
The environment that a process needs to reach the registries as this machine does.

@param {string | undefined} certificatesFile The path of the certificates as that process sees it; undefined if there are none.
@param {string | undefined} cache npm's cache folder; undefined for npm's default.
*/
export function environmentOf(settings, certificatesFile, cache) {
	const trusted = settings.certificates === '' || certificatesFile === undefined ? {} : {[npmVariable('cafile')]: certificatesFile, NODE_EXTRA_CA_CERTS: certificatesFile};
	return {...settings.npm, ...settings.variables, ...trusted, ...(cache === undefined ? {} : {[npmVariable('cache')]: cache})};
}

/** @returns {{npm: Record<string, string>, variables: Record<string, string>, certificates: string, apt: string[], mirror: string}} */
export function settingsOfMachine() {
	return {
		npm: Object.fromEntries(npmKeys.map(key => [npmVariable(key), npmSetting(key)]).filter(([, value]) => value !== undefined)),
		variables: Object.fromEntries(proxyVariables.filter(name => process.env[name] !== undefined).map(name => [name, process.env[name]])),
		certificates: certificates(),
		apt: aptLines(),
		mirror: debianMirror(),
	};
}
