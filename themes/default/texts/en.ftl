# The texts of the default theme. A theme of your own needs only the messages that it words differently.

### Frame

skip = Skip to the content
demo = This is a demonstration. Do not enter real data.
tagline = One sign-in opens every room of your practice.
signed-in-as = Signed in as
need-help = Need help? Ask
continue = Continue
back = Go back
to-continue-to = to continue to { $application }
to-dashboard = Go to your applications
back-to-application = Back to the application
another-account = Use another account
change-password = Change Password
sign-out = Sign Out
session-heading = Are you still there?
session-heading-fixed = Your session is about to end
session-text = Nothing has happened here for a while. To keep what is yours safe, you are signed out at { $time }.
session-text-fixed = A session ends after some hours, whatever happens in it: yours does at { $time }. Finish what you are doing, then sign in again.
stay = Stay Signed In
ask-for-access = To be given access, ask
ask-for-access-unnamed = To be given access, ask whoever manages sign-in at your practice.
ask-to-go-on = To continue today, ask
ask-to-go-on-unnamed = To continue today, ask whoever manages sign-in at your practice.

### Sign in

sign-in-title = Sign In
sign-in-button = Sign In
email-label = Your Email Address
email-missing = Enter your email address
password-label = Your Password
password-missing = Enter your password
show-password = Show
hide-password = Hide
forgot-password = Forgot Password
complete-registration = Complete your registration
invited = Invited, but not registered yet?
other-ways = Other ways in
sign-in-problem-heading =
    { $problem ->
        [refused] We could not sign you in
        [locked-here] Signing in is locked here
        [no-cookies] Your browser keeps no cookies
        [busy] Many people are signing in right now
        [missing] Something is missing
       *[stale] This page was out of date
    }
sign-in-problem-text =
    { $problem ->
        [refused] Check your email address and password and try again, or see below what may have happened.
        [locked-here] The wrong password was entered too many times, on this device or on another one. Waiting does not lift the lock; the new password that you choose with “Forgot Password” does.
        [no-cookies] Your password was right, but nobody can be signed in without a cookie. Allow cookies for this site and sign in again.
        [busy] Nothing is wrong with what you entered. Please try again in a moment.
       *[stale] Nothing is lost. Please enter your password and sign in again.
    }
sign-in-limited-heading = Too many sign-ins at once
sign-in-limited-text =
    { $minutes ->
        [one] Too many sign-ins have come from your network. Please wait one minute, then try again.
       *[other] Too many sign-ins have come from your network. Please wait { $minutes } minutes, then try again.
    }
sign-in-new-browsers-text =
    { $minutes ->
        [one] There were too many sign-ins to this account from new browsers. Try again in one minute, or use a browser you have signed in with before.
       *[other] There were too many sign-ins to this account from new browsers. Try again in { $minutes } minutes, or use a browser you have signed in with before.
    }
sign-in-notice =
    { $notice ->
        [signed-out] You are signed out.
        [session-ended] You were signed out because nothing happened for a while. Please sign in again.
        [session-too-old] You were signed out because a session ends after some hours, whatever happens in it. Please sign in again.
        [password-changed] Your password is changed. Please sign in with the new one.
        [another-account-since] Another account has been in use in this browser since. Please enter your password to go on.
       *[reauthenticate] Please sign in again to confirm that it is you.
    }
help-heading = What may have happened
help-mistyped = A typing mistake
help-mistyped-text = Capital letters matter in the password. See that Caps Lock is off.
help-other-account = A different account
help-other-account-text = Sign in with the address to which your practice sent your invitation.
help-locked = Forgotten, or locked
help-locked-text = Too many wrong passwords lock an account. Only a new password lifts the lock:
help-unregistered = Not fully registered
help-unregistered-text = An account works once every step of the invitation is done:

### Accounts and dashboard

choose-account-title = Choose an account
dashboard-title = Your applications
welcome = Welcome, { $name }
applications = Applications
password-expires =
    { $days ->
        [0] Your password expires today.
        [one] Your password expires tomorrow.
       *[other] Your password expires in { $days } days.
    }
password-expires-text = Change it now to go on working without a break.
no-tiles-heading = No applications yet
no-tiles-text = Your account works, but no application of your practice is open to it.

### Consent

consent-title = Allow { $application }?
consent-host = It belongs to { $host }.
consent-changed = { $application } has changed since this page was shown, and your answer was not kept. Please read again what you would allow, and whom it belongs to.
consent-sign-out = { $host } is told when you sign out.
consent-text = { $application } would like to:
consent-documents = About { $application }
scope =
    { $scope ->
        [openid] know which account of the practice is yours
        [profile] see your name and profile
        [email] see your email address
        [address] see your postal address
        [phone] see your phone number
        [groups] see which groups of the practice you belong to
       *[offline-access] keep this access while you are signed out
    }
scope-other = use “{ $scope }”
allow = Allow
deny = Deny
privacy-policy = Privacy policy
terms-of-service = Terms of service

### Refusals and detours

not-entitled-title = You do not have access to { $application }
not-entitled-text = You are signed in and your account works, but your practice has not given it access to { $application }.
expired-title = Your password has expired
expired-text =
    { $days ->
        [one] Passwords are good for one day here, and yours was set on { $date }.
       *[other] Passwords are good for { $days } days here, and yours was set on { $date }.
    }
expired-next = What comes next
expired-step-code = We send a code to your phone, to make sure that it is you.
expired-step-password = You choose a new password.
expired-step-on = You carry on to where you were going.

### Forgotten password

back-to-sign-in = Back to sign-in
stale-text = Nothing is lost. Please send the form again.
forgot-text = Enter the address that you sign in with. We send it an email that leads to a new password.
forgot-then = Afterwards you carry on to { $application }.
asked-title = Check your email
asked-text = If there is an account for { $email }, an email is on its way.
asked-next =
    { $minutes ->
        [one] Follow the link in it, or enter its code here. Both work for one minute.
       *[other] Follow the link in it, or enter its code here. Both work for { $minutes } minutes.
    }
asked-done = Your password is changed. You can sign in with the new one.
asked-no-email = No email yet?
asked-no-email-text = It can take a few minutes. Look into the spam folder too, and see that the address above is right. An email that came a moment earlier serves as well: its link works here too.
asked-again = Send another email
email-code-label = Code from the Email
email-code-hint = Ten characters. Small letters, spaces and the dash do not matter.
email-code-wrong = That is not the code
email-code-wrong-text =
    { $minutes ->
        [one] Compare it with the newest email. A code works only in the browser that asked for it, and for one minute.
       *[other] Compare it with the newest email. A code works only in the browser that asked for it, and for { $minutes } minutes.
    }
recovery-link-title = Set a new password
recovery-link-text = First we make sure that it is you, with a code to your phone. Then you choose a new password.
recovery-link-unexpected = You did not ask for this? Then close this page: nothing has changed.

### Secret codes

verify-title = Verify your identity
verify-text =
    { $reason ->
        [recovery] Before you choose a new password, we make sure that it is you.
        [expired-password] Before you replace the expired password, we make sure that it is you.
        [step-up] What you are opening asks for a second proof that it is you.
        [own-proofs] To change how you prove yourself, enter a code first.
        [new-device] You have not signed in with this browser before, so we make sure that it is you.
        [registration-resumed] A phone was verified for this registration before. We make sure that you are the one who has it.
       *[registration] We make sure that the phone is yours.
    }
verify-question = How do you want to get a secret code?
method =
    { $channel ->
        [text] Text message
        [call] Phone call
       *[totp] Authenticator app
    }
method-to =
    { $landline ->
        [true] to the landline { $number }
       *[false] to the cell phone { $number }
    }
method-totp = The app shows you the code.
send-code = Send Code
enter-code-title = Enter your code
enter-code-text =
    { $channel ->
        [text] We sent a text message with six digits to { $number }.
        [call] We are calling { $number }. Press a key when you are asked to, and you hear six digits, twice.
       *[totp] Open your authenticator app and enter the six digits that it shows now.
    }
enter-code-under-way =
    { $channel ->
        [text] We are sending a text message with six digits to { $number }.
       *[call] We are placing a call to { $number }. Press a key when you are asked to, and you hear six digits, twice.
    }
enter-code-works =
    { $minutes ->
        [one] They work for one minute.
       *[other] They work for { $minutes } minutes.
    }
code-label = Your Code
code-missing = Enter the code
code-problem-heading =
    { $problem ->
        [choose-method] Choose a way
        [wrong] That is not the code
        [expired] This code has expired
        [used] This code was used before
        [budget-spent] Too many wrong codes
        [wait] One moment, please
        [text-refused] This phone does not take text messages
        [trying] The code has not gone out yet
        [not-sent] We could not reach this number
       *[refused] We cannot send to this number now
    }
code-problem-text =
    { $problem ->
        [choose-method] Choose how you want to get the code.
        [expired] Get a new one below.
        [text-refused] Choose a phone call instead.
        [trying] We keep trying. You can wait and load this page again to see what became of it, or choose another way.
        [not-sent] Try again, or choose another way.
       *[refused] Choose another way, or ask whoever manages sign-in at your practice.
    }
code-used-text = Each code of the app works once. Wait until it shows the next one, and enter that.
code-wrong-text =
    { $left ->
        [0] There is no try left.
        [one] Compare it with the newest code. There is one try left.
       *[other] Compare it with the newest code. There are { $left } tries left.
    }
code-budget-text = To keep your account safe, we take no more codes for now. You can try again from { $until }.
code-wait-text =
    { $minutes ->
        [one] Several codes were asked for. Please wait one minute before the next.
       *[other] Several codes were asked for. Please wait { $minutes } minutes before the next.
    }
code-notice =
    { $notice ->
        [sent] A code is on its way.
       *[sent-again] A new code is on its way. The old one is no longer valid.
    }
resend-text = No code yet? A new one makes the old one invalid.
resend-code = Re-Send Code
resend-wait =
    { $seconds ->
        [one] You can ask for a new code in one second.
       *[other] You can ask for a new code in { $seconds } seconds.
    }
change-method = Change Delivery Method
use-another-phone = Use another phone
no-phone-title =
    { $unreached ->
        [true] No code can be sent to your phone
       *[false] There is no phone to send a code to
    }
no-phone-unreached = To go on you need a code, and this practice does not send any to a phone like yours for now. Nothing is wrong with your account.
no-phone-text =
    { $reason ->
        [recovery] A new password needs a code to a phone of yours, and your account has none that can be used.
        [expired-password] Replacing an expired password needs a code to a phone of yours, and your account has none that can be used.
        [step-up] What you are opening needs a code to a phone of yours, and your account has none that can be used.
        [own-proofs] Changing how you prove yourself needs a code to a phone of yours, and your account has none that can be used.
        [new-device] Signing in with a new browser needs a code to a phone of yours, and your account has none that can be used.
       *[registration] Your registration needs a phone of yours, and your account has none that can be used.
    }
no-phone-later = A phone was added to your account a short while ago. Codes can be sent to it from { $from }.
no-phone-next = What you can do
no-phone-step-visit = See whoever manages sign-in at your practice, in person.
no-phone-step-register = They start the registration of a phone, and you finish it yourself.
no-phone-step-wait =
    { $days ->
        [one] One day later codes can be sent to it.
       *[other] { $days } days later codes can be sent to it.
    }
no-phone-step-tell = Tell whoever manages sign-in at your practice that codes do not reach phones.
no-phone-step-mend = They put it right; your account stays as it is.
no-phone-step-again = Then begin here again.

### New password

new-password-title =
    { $reason ->
        [registration] Choose a password
       *[other] Choose a new password
    }
new-password-text =
    { $reason ->
        [recovery] It ends every session of your account, on all devices. Then you sign in with the new password.
        [expired] Then you carry on to where you were going.
        [change] You stay signed in here; everywhere else you are signed out.
       *[registration] You will sign in with it and your email address.
    }
new-password-label = New Password
confirm-password-label = New Password Again
new-password-missing = Enter the new password twice
requirements-heading = What the password needs
requirement-length = { $min } to { $max } characters of any kind
requirement-match = The same in both fields
requirement-strength = Hard to guess: no common password, no simple pattern
requirement-personal = Without your name, your email address or the name of the practice
requirement-remembered =
    { $count ->
        [one] Other than your last password
       *[other] Other than your last { $count } passwords
    }
requirement-met = met
password-problem-heading =
    { $problem ->
        [mismatch] The two entries are not the same
        [too-short] This password is too short
        [too-long] This password is too long
        [common] This password is widely known
        [personal] This password says something about you
        [weak] This password is easy to guess
        [characters] This password has characters that cannot be seen
        [used] You have used this password before
        [current] This is your password now
       *[too-young] Your password was changed a short while ago
    }
password-problem-text =
    { $problem ->
        [mismatch] Enter the new password twice, the same both times.
        [common] It is on the lists that attackers try first. Choose another one.
        [personal] It contains your name, your email address or the name of the practice. Choose another one.
        [characters] Type it anew, on the keyboard and without characters from elsewhere.
        [weak] Make it longer, or put several words together that have nothing to do with each other.
        [used] Choose one that you have not used lately.
       *[current] Choose another one.
    }
password-length-text = It needs { $min } to { $max } characters.
password-young-text =
    { $hours ->
        [one] It can be changed again in one hour. If somebody else may know it, use “Forgot Password” instead.
       *[other] It can be changed again in { $hours } hours. If somebody else may know it, use “Forgot Password” instead.
    }
password-changed-title = Your password is changed
password-changed-text = You can sign in with the new one. Every address of your account is told about the change.
changed-then = After signing in you carry on to { $application }.
waits-elsewhere = { $application } waits in the browser in which you began. Go back to it to carry on there, or sign in here.
waits-elsewhere-unnamed = The application waits in the browser in which you began. Go back to it to carry on there, or sign in here.

### Registration

invitation-title = Welcome
invitation-text = { $practice } has invited you to its applications.
invitation-text-to = { $name }, { $practice } has invited you to its applications.
invitation-address = Is this your email address? You will sign in with it.
invitation-step-phone = You add a phone, and we send it a code.
invitation-step-password = You choose a password.
invitation-step-on = You are in.
invitation-unexpected = Not your address? Then close this page: nothing has changed.
add-phone-title = Add a phone
phone-verified-title = Your phone is verified
phone-verified-text = You can go on, or add another phone in case you do not have this one at hand.
add-phone-text = A code to your phone proves that it is you, when you forget your password for example. Nobody calls it for anything else.
phones-heading = Your phones
phone-state =
    { $landline ->
        [true] { $verified ->
            [true] Landline, verified
           *[false] Landline, not verified yet
        }
       *[false] { $verified ->
            [true] Cell phone, verified
           *[false] Cell phone, not verified yet
        }
    }
verify-phone = Verify
another-phone = Add another phone
add-phone = Add Phone
phone-label = Phone Number
phone-hint = With its area code, for example (202) 555‑0143.
phone-missing = Enter the phone number
phone-kind-label = What kind of phone is it?
phone-kind-missing = Choose the kind of phone
phone-kind =
    { $kind ->
        [cell] Cell phone
       *[landline] Landline
    }
phone-kind-text =
    { $kind ->
        [cell] Takes text messages and calls.
       *[landline] Takes calls only.
    }
phone-cell-text =
    { $ways ->
        [texts] The code comes as a text message.
        [calls] The code comes by call.
       *[both] Takes text messages and calls.
    }
phone-problem-heading =
    { $problem ->
        [not-a-number] This is not a phone number
        [extension] A number with an extension cannot be used
        [not-allowed] We do not send codes to this number
        [unreached] We cannot send codes to a landline
       *[too-many] No more phones can be added
    }
phone-problem-text =
    { $problem ->
        [not-a-number] Check the digits, and enter the area code too.
        [extension] The code has to reach you directly. Enter a number that rings at your own phone.
        [not-allowed] It is abroad, or calls to it cost extra. Enter another one, or ask whoever manages sign-in at your practice.
        [unreached] Codes are not sent by call here for now. Enter a cell phone.
       *[too-many] Use one of those below, or ask whoever manages sign-in at your practice.
    }
complete-text = The link in the email that invited you leads through the registration. Is it lost or too old? Enter your address, and we send a new one.
complete-asked = If an invitation waits for { $email }, an email is on its way.
complete-asked-next = Open the link in it; you continue where you stopped. No email yet? It can take a few minutes. Look into the spam folder too.

### Authenticator apps

factors-title = Authenticator apps
factors-text = An authenticator app shows a new code every half minute. With it you can prove that it is you when an application asks for more than a password.
factor-added = Added on { $date }
factor-name = Authenticator app { $number }
factor-later = Its codes are taken from { $from }.
factors-notice =
    { $notice ->
        [added] The app is added. We have told you so by email.
        [not-there] That app was not there any more. Nothing was changed.
       *[removed] The app is removed. We have told you so by email.
    }
factors-too-late-heading = The key was shown for too long
factors-too-late-text = Nothing has changed. Begin again below; each time there is a new key.
factor-last = It is the only way to prove that it is you, so it cannot be removed before another serves.
factors-full = No more apps can be added. Remove one that you do not use any more.
no-factors = You have not added one yet.
add-factor = Add an authenticator app
remove = Remove
enrol-step-scan = Scan the picture with the app, or type the key below into it.
enrol-step-code = Enter the six digits that the app then shows.
enrol-qr = QR code with the key below
enrol-secret = The key, for typing:
enrol-wrong-text = Enter the six digits that the app shows now. If it happens again, check that the clock of your phone is right.

### Signing out

also-signed-in = Also signed in here:
sign-out-ends-all = “Sign Out” signs out all of you.
sign-out-people = This signs out:
sign-out-stays-heading = We cannot send you back to the application
sign-out-stays = It gave no address that is registered for it here. You can sign out, and stay on this site after that.
sign-out-title = Sign out?
sign-out-text = This ends your session here and in every application that you opened from it.
sign-out-text-from = { $application } asks to sign you out. This ends your session here and in every application that you opened from it.
signed-out-title = You are signed out
signed-out-text = Your session has ended here and in the applications that you opened from it.
signed-out-frame = Ends the session in an application
back-to = Back to { $application }
sign-in-again = Sign in again

### Errors

error-heading =
    { $kind ->
        [unknown-client] This application is not known here
        [application-gone] The application is not there any more
        [redirect-uri-mismatch] The application gave a return address that is not registered
        [invalid-request] The application sent a request that cannot be used
        [nothing-ended] Nothing was ended here
        [interaction-expired] This sign-in took too long
        [answered-before] This sign-in is already complete
        [not-asked-here] This browser did not ask for the email
        [registration-interrupted] Your registration was interrupted
        [link-dead] This link no longer works
        [stale-form] This page was out of date
        [no-cookies] Your browser keeps no cookies
        [another-person] This page belongs to an earlier sign-in
        [cross-site] The request came from another site
        [not-found] There is nothing at this address
        [method-not-allowed] This page cannot be used like that
        [too-large] That was too much to send
        [too-slow] Your connection was too slow
        [rate-limited] Too many requests
        [busy] We are very busy right now
        [unavailable] Sign-in is not available right now
        [misdirected-host] This is not the right address
       *[internal] Something went wrong on our side
    }
error-text =
    { $kind ->
        [unknown-client] The link that brought you here names an application that your practice has not set up. Open it from your applications instead.
        [application-gone] Your practice took it away or changed it while you were on your way to it. You have done nothing wrong. You can go on to your other applications.
        [redirect-uri-mismatch] To keep your sign-in safe, we do not send you there. Whoever runs the application has to correct its settings.
        [invalid-request] Something is missing from it or does not fit together. Whoever runs the application has to correct that; you have done nothing wrong.
        [nothing-ended] No one is signed in in this browser, and the request does not name a session that is still running.
        [interaction-expired] The request of the application has expired, or was already answered in another window. Open the application again to start afresh.
        [answered-before] The application has had its answer, here or in another window, and gets no second one. Open the application again if you want to go on there.
        [not-asked-here] Its code can only be entered in the browser that asked for it. If that was this one, its cookies were deleted, or it was too long ago. The link in the email works here as well: open it, or ask for a new one.
        [registration-interrupted] This browser no longer knows how far you had come: it took too long, its cookies were deleted, or you went on in another window. What you entered is kept. Open the link in your invitation again, and you continue where you stopped; or ask for a new one.
        [link-dead] It was used already, or it has expired, or a newer one took its place. Nothing was changed.
        [stale-form] It was opened a while ago, or you signed in or out in another window since. Nothing was changed. Open it again and repeat what you wanted to do.
        [no-cookies] Without a cookie this browser cannot be led on from here. Nothing was changed, and your link still works. Allow cookies for this site and try again, or open the link in another browser.
        [cross-site] For your safety we only accept what you enter on our own pages. Nothing was changed.
        [not-found] The address may be mistyped, or the page may have moved.
        [method-not-allowed] This can happen after Back or Refresh. Nothing was changed.
        [too-large] Your browser sent more than this page accepts. Nothing was changed.
        [too-slow] Not everything that your browser sends had arrived in time. Nothing was changed. Please try again.
        [busy] Nothing is wrong with what you entered. Please try again in a moment.
        [unavailable] Nothing is wrong with what you entered. Try again in a few minutes.
        [misdirected-host] Anteroom answers under another name. Use the link or bookmark that your practice gave you.
       *[internal] It is not your fault, and your account is as it was. Please try again; if it happens again, tell your support the reference.
    }
error-another-person-text = You are now signed in as { $person }. The page was opened before that, and nothing was changed. Open it again to go on as { $person }.
error-limited-text =
    { $minutes ->
        [one] Too many requests have come from your network. Please wait one minute, then try again.
       *[other] Too many requests have come from your network. Please wait { $minutes } minutes, then try again.
    }
forward =
    { $kind ->
        [sign-in] Go to sign-in
        [dashboard] Go to your applications
        [recover] Ask for a new one
        [application] Back to the application
       *[try-again] Try again
    }
error-return-heading = This application could not sign you in
error-return-text = Its request has a mistake. Nothing was changed. It wants you to go to { $host } now.
error-return-next = Your practice has not set up this application. If you do not know { $host }, do not go there.
error-return-button = Go to { $host }
reference = Reference:
reference-text = With it, support can see what happened.

### Returning to an application

form-post-title = One moment
form-post-text = You are on your way back to the application.
form-post-text-to = You are on your way back to { $application }.

### Outbox

outbox-title = Outbox
outbox-text = Messages that would have been sent to people end here instead.
outbox-empty = No messages yet
outbox-empty-text = Emails, texts and calls appear here as soon as there are any.
outbox-code = Code:
outbox-link = Open the link
outbox-html = See the email as it looks
channel =
    { $channel ->
        [email] Email
        [text] Text
       *[call] Call
    }

### Times

month =
    { $month ->
        [1] January
        [2] February
        [3] March
        [4] April
        [5] May
        [6] June
        [7] July
        [8] August
        [9] September
        [10] October
        [11] November
       *[12] December
    }
date = { month } { $day }, { $year }
moment = { date } at { $hour12 }:{ $minute } { $half ->
        [am] a.m.
       *[pm] p.m.
    } ({ $zone })

### Emails

email-automatic = This message comes from the sign-in service of { $practice }, where you have an account or an invitation. Questions? Ask the practice.
email-link-instead = If the button does not work, copy this address into your browser:
email-invitation-subject = Your invitation to { $practice }
email-invitation-greeting = Hello { $name },
email-invitation-text = { $practice } has invited you to its applications. Complete your registration to begin: you confirm this address, add a phone and choose a password.
email-invitation-button = Complete your registration
email-invitation-days =
    { $days ->
        [one] The link works for one day.
       *[other] The link works for { $days } days.
    }
email-invitation-unexpected = If you did not expect this invitation, you need not do anything.
email-locked-subject = Too many wrong passwords for your account at { $practice }
email-locked-greeting = Hello,
email-locked-text = Too many wrong passwords were entered for your account at { $practice }, the last one on { $when }. Signing in may be locked now, in some browsers or in all of them.
email-locked-next = To get back in where it is locked, choose a new password. A lock does not end by itself, and nobody can lift it for you.
email-locked-button = Choose a new password
email-locked-unexpected = If this was not you, somebody may have tried to guess your password. They did not get in; a new password makes sure that it stays so.
email-recovery-subject = A new password for { $practice }
email-recovery-text = Somebody, most likely you, asked for a new password for your account at { $practice }.
email-recovery-button = Set a new password
email-recovery-code = Or type this code on the page where you asked:
email-recovery-minutes =
    { $minutes ->
        [one] Link and code work for one minute, and once.
       *[other] Link and code work for { $minutes } minutes, and once.
    }
email-recovery-unexpected = If it was not you, you need not do anything: without a code to your phone nobody gets further.
email-changed-subject = Your password at { $practice } was changed
email-changed-text = The password of your account at { $practice } was changed on { $when }.
email-changed-button = It was not me: set a new password
email-changed-unexpected = If it was you, you need not do anything. If not, set a new password now; that ends every session of your account.
email-registered-subject = Your registration at { $practice } is complete
email-registered-text = The registration of your account at { $practice } was completed on { $when }: it has a password and a phone now.
email-registered-button = It was not me: set a new password
email-registered-unexpected = If it was you, you need not do anything. If not, set a new password now, and tell the practice: somebody has read your invitation.
email-expires-subject =
    { $days ->
        [0] Your password at { $practice } expires today
        [one] Your password at { $practice } expires tomorrow
       *[other] Your password at { $practice } expires in { $days } days
    }
email-expires-text =
    { $days ->
        [0] The password of your account at { $practice } expires today.
        [one] The password of your account at { $practice } expires tomorrow.
       *[other] The password of your account at { $practice } expires in { $days } days.
    }
email-expires-button = Change the password
email-expires-unexpected = Once it has expired, you choose a new one when you sign in, with a code to your phone.
email-phone-subject = A phone was added to your account at { $practice }
email-phone-text = The phone { $phone } was added to your account at { $practice } on { $when }. Codes can be sent to it from { $from }.
email-phone-button = It was not me: choose a new password
email-phone-unexpected = If it was you, you need not do anything. If not, a new password takes the phone off again before it can be used; and please tell your practice.
email-app-subject =
    { $removed ->
        [true] An authenticator app was removed from your account at { $practice }
       *[false] An authenticator app was added to your account at { $practice }
    }
email-app-text =
    { $removed ->
        [true] An authenticator app was removed from your account at { $practice } on { $when }.
       *[false] An authenticator app was added to your account at { $practice } on { $when }.
    }
email-app-later = Its codes are taken from { $from }.
email-app-button = It was not me: choose a new password
email-app-unexpected = If it was you, you need not do anything. If not, choose a new password now, and please tell your practice.

email-elsewhere-subject = { $application } renewed your sign-in at { $practice } from two networks
email-elsewhere-text = To keep you signed in, applications renew your sign-in now and then. On { $when }, { $application } did so twice with the same token, from two different networks. That happens when a phone or laptop changes from one network to another while you are signed in to { $application }. It can also mean that someone has copied the token.
email-elsewhere-button = It was not me: choose a new password
email-elsewhere-unexpected = If your device changed networks at that time, you need not do anything. If not, choose a new password now: that ends every sign-in of your account. Please tell your practice too.

### Text messages and calls

# Text messages have room for 160 characters of the GSM 7-bit alphabet, or for 70 as soon as one is not of it:
# no á, í, ó, ú, bullets or typographic apostrophes in these two.
text-phone = { $practice }: phone { $phone } was added to your account. Not you? Reset password:
text-code =
    { $minutes ->
        [one] { $code } is your code for { $practice }. Good for one minute. Do not share it.
       *[other] { $code } is your code for { $practice }. Good for { $minutes } minutes. Do not share it.
    }
call-prompt = Hello. This is the sign-in service of { $practice }. To hear your code, press any key.
call-code = Your code is:
call-code-again = Once more:
call-again = To hear it again, press any key.
call-goodbye = Goodbye.

profile-title = Your details
profile-text = Applications that you use may be told what is said here. Leave empty what you do not want to say.
profile-saved = Your details are saved.
profile-problem-heading = Nothing is saved yet: please look at these again
profile-group =
    { $group ->
        [name] Your name
        [about] About you
        [address] Your address
       *[links] On the web
    }
claim-label =
    { $claim ->
        [name] Full name
        [given_name] First name
        [middle_name] Middle name
        [family_name] Last name
        [nickname] What people call you
        [gender] Gender
        [birthdate] Date of birth
        [zoneinfo] Time zone
        [locale] Language
        [formatted] As on an envelope
        [street_address] Street
        [locality] City
        [region] State
        [postal_code] ZIP code
        [country] Country
        [website] Website
        [picture] Picture
       *[profile] Page about you
    }
claim-hint =
    { $claim ->
        [name] As applications show it.
        [birthdate] Year, month and day, such as 1984-05-12. The year alone will do.
        [zoneinfo] Begin to type and choose from the list, for example America/New_York.
        [formatted] The whole address, where it is not simply the lines above.
       *[link] An address that begins with https://.
    }
claim-problem =
    { $problem ->
        [too-long] This is too long.
        [control] There are characters in this that cannot be used. Please type it anew.
        [not-a-link] This is not an address that begins with https://.
        [not-a-date] This is not a date up to today. Write it like 1984-02-29.
        [not-a-zone] There is no time zone of this name. Choose one from the list, for example America/New_York.
       *[not-a-language] This is not a language that can be chosen.
    }
language-unset = Not said
language-name =
    { $tag ->
        [en] English
        [es] Español
       *[other] { $tag }
    }
save = Save
