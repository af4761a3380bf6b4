/** What a user asked for cannot be done. The message names the option and says what would be right. */
export class InputError extends Error {
	override readonly name = 'InputError';
	/** The option as the user wrote it, or undefined when the fault is not in one option. */
	readonly option: string | undefined;

	constructor(message: string, option?: string) {
		super(option === undefined ? message : `${option}: ${message}`);
		this.option = option;
	}
}
