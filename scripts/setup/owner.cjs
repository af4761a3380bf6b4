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
Changes the owner of what root created in a user's checkout to the folder's owner. Otherwise the user could neither update nor delete it.

@param {string[]} names Files and folders, relative to the root of the checkout; missing ones are skipped.
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
			// A VM's shared folder may not allow changing owners; the run does not depend on it.
			context.say(`Cannot give ${entry} to UID ${owner.uid}, the owner of ${context.root}: ${error.message}. It still belongs to root. To change that: sudo chown -R ${owner.uid}:${owner.gid} ${entry}`);
		}
	}
}

module.exports = {giveToOwner};
