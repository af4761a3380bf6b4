/**
Replaces what names a person or a machine: home folders, user names, host names, and the folder where the testbed is called.
*/

import {hostname, userInfo} from 'node:os';
import process from 'node:process';
import {literalPattern} from '../../../src/parsing/literal-pattern.js';
import {mappingFacts} from '../../rootless/note.js';

/** The names to replace. */
export type PrivateNames = {readonly homes: readonly string[]; readonly users: readonly string[]; readonly hosts: readonly string[]; readonly folders: readonly string[]};

/** How often each kind was replaced. */
export type Replaced = Readonly<Record<keyof PrivateNames, number>>;

/** Names that every machine has, and that name nobody. Replacing them would only make texts hard to read. */
const commonNames: ReadonlySet<string> = new Set(['root', 'nobody', 'localhost', 'localhost.localdomain']);

/** Home folders of whomever they are: a recording or a scenario may come from another machine. */
const usualHomes = /(?<![\w.~-])(?:\/(?:home|Users)\/[^/\s"'`:;,()<>\\]+|\/root(?![\w.-]))/gu;

/** The names of this process and its machine. In a user namespace the user is root by name, and the first start of the command has noted who it was. */
export function privateNamesOfProcess(environment: Readonly<Record<string, string | undefined>> = process.env): PrivateNames {
	const {username, homedir} = userOf();
	const host = hostname();
	const known = (names: ReadonlyArray<string | undefined>): readonly string[] => [...new Set(names)]
		.filter(name => name !== undefined)
		.filter(name => name.length > 1 && !commonNames.has(name))
		.toSorted((one, other) => other.length - one.length);
	return {
		homes: known([homedir, environment['HOME']]),
		users: known([username, mappingFacts()?.name, environment['USER'], environment['LOGNAME'], environment['SUDO_USER']]),
		hosts: known([host, host.split('.')[0], environment['HOSTNAME']]),
		folders: known([process.cwd(), environment['PWD'], environment['INIT_CWD']]),
	};
}

/** A user without an entry in /etc/passwd has neither name nor home. */
function userOf(): {readonly username?: string; readonly homedir?: string} {
	try {
		return userInfo();
	} catch {
		return {};
	}
}

/** Replaces names in texts and data, and counts. */
export class Redactor {
	readonly #counts: Record<keyof PrivateNames, number> = {
		homes: 0, users: 0, hosts: 0, folders: 0,
	};

	readonly #steps: ReadonlyArray<readonly [kind: keyof PrivateNames, pattern: RegExp, instead: string]>;

	constructor({homes, users, hosts, folders}: PrivateNames) {
		const place = (names: readonly string[]): string => `(?:${names.map(name => literalPattern(name)).join('|')})(?![\\w-])`;
		const word = (names: readonly string[]): RegExp => new RegExp(String.raw`(?<![\p{L}\p{N}_-])(?:${names.map(name => literalPattern(name)).join('|')})(?![\p{L}\p{N}_-])`, 'gu');
		this.#steps = [
			// The longest name first: a folder is often in a home folder, whose name has that of its user.
			...(folders.length === 0 ? [] : [['folders', new RegExp(place(folders), 'gu'), '.'] as const]),
			...(homes.length === 0 ? [] : [['homes', new RegExp(place(homes), 'gu'), '~'] as const]),
			['homes', usualHomes, '~'],
			...(hosts.length === 0 ? [] : [['hosts', word(hosts), 'HOST'] as const]),
			...(users.length === 0 ? [] : [['users', word(users), 'USER'] as const]),
		];
	}

	/** How often each kind was replaced so far. */
	get replaced(): Replaced {
		return {...this.#counts};
	}

	/** A text without the names. */
	text(text: string): string {
		let seen = text;
		for (const [kind, pattern, instead] of this.#steps) {
			seen = seen.replaceAll(pattern, () => {
				this.#counts[kind]++;
				return instead;
			});
		}

		return seen;
	}

	/** Data without the names, in its keys as well. */
	data<T>(value: T): T {
		return this.#data(value) as T;
	}

	#data(value: unknown): unknown {
		if (typeof value === 'string') {
			return this.text(value);
		}

		if (Array.isArray(value)) {
			return value.map(item => this.#data(item));
		}

		return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([key, item]) => [this.text(key), this.#data(item)])) : value;
	}
}
