'use strict';

const fs = require('node:fs');
const path = require('node:path');

function changeOwner(entry, owner) {
	fs.lchownSync(entry, owner.uid, owner.gid);
	if (!fs.lstatSync(entry).isDirectory()) {
		return;
	}

	for (const name of fs.readdirSync(entry)) {
		changeOwner(path.join(entry, name), owner);
	}
}

/**
Gives what root made in a user's checkout to the folder's owner. Otherwise the user could neither update nor delete it.

@param {string[]} names Files and folders, relative to the root of the checkout; those that are not there are passed over.
*/
function giveToOwner(names, context) {
	if (context.uid !== 0) {
		return;
	}

	const owner = fs.statSync(context.root);
	if (owner.uid === 0) {
		return;
	}

	for (const entry of names.map(name => path.join(context.root, name)).filter(file => fs.existsSync(file))) {
		try {
			changeOwner(entry, owner);
		} catch (error) {
			// A shared folder of a VM decides itself who owns what; the run does not depend on it.
			context.say(`${entry} could not be given to UID ${owner.uid}, the owner of ${context.root}: ${error.message}. It stays with root; if it is in your way: sudo chown -R ${owner.uid}:${owner.gid} ${entry}`);
		}
	}
}

module.exports = {giveToOwner};
