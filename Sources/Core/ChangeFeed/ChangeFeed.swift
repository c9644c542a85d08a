/// What other services know of user-service's changes: revoked tokens, not-before marks, changed users.
package enum ChangeFeed {}
