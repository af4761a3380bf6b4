/**
The name by which the testbed was called, with which every printed command begins: `bin/testbed` in a checkout, `testbed` if the package is installed. The launcher knows it (scripts/setup/program-name.cjs) and sets it once.
*/

const defaultName = 'testbed';
let name = defaultName;

/** The word or path that starts the testbed in the user's shell, quoted if necessary. */
export function programName(): string {
	return name;
}

/** Sets the name, for the whole process. */
export function nameProgram(called: string = defaultName): void {
	name = called;
}

/** A command line of the testbed, for pasting: `bin/testbed doctor`. */
export function commandLine(words: string): string {
	return `${name} ${words}`;
}
