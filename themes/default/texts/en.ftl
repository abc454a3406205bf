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
        [locked-here] This account is locked
        [busy] Many people are signing in right now
        [missing] Something is missing
       *[stale] This page was out of date
    }
sign-in-problem-text =
    { $problem ->
        [refused] Check your email address and password and try again, or see below what may have happened.
        [locked-here] The wrong password was entered too many times on this device. Waiting does not lift the lock; choosing a new password does.
        [busy] Nothing is wrong with what you entered. Please try again in a moment.
       *[stale] Nothing is lost. Please enter your password and sign in again.
    }
sign-in-limited-heading = Too many sign-ins at once
sign-in-limited-text =
    { $minutes ->
        [one] Too many sign-ins have come from your network. Please wait one minute, then try again.
       *[other] Too many sign-ins have come from your network. Please wait { $minutes } minutes, then try again.
    }
sign-in-notice =
    { $notice ->
        [signed-out] You are signed out.
        [session-ended] You were signed out because nothing happened for a while. Please sign in again.
        [password-changed] Your password is changed. Please sign in with the new one.
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
step-title =
    { $step ->
        [phone-code] The code to your phone is not available yet
        [new-password] Changing your password is not available yet
        [registration] Registration is not available yet
        [recovery] Resetting your password is not available yet
       *[step-up] The second step of signing in is not available yet
    }
step-text =
    { $step ->
        [phone-code] The next step would be a code sent to your phone. This release of Anteroom cannot send it yet. Nothing about your account has changed.
        [new-password] The next step would be to choose a new password. This release of Anteroom cannot do that yet. Nothing about your account has changed.
        [registration] The next step would be to confirm your address and choose a password. This release of Anteroom cannot do that yet. Your invitation stays as it is.
        [recovery] The next step would be an email that leads to a new password. This release of Anteroom cannot send it yet. Nothing about your account has changed.
       *[step-up] The application asks for a second proof that it is you. This release of Anteroom cannot take it yet. Nothing about your account has changed.
    }

### Signing out

sign-out-title = Sign out?
sign-out-text = This ends your session here and in every application that you opened from it.
sign-out-text-from = { $application } asks to sign you out. This ends your session here and in every application that you opened from it.
stay = Stay Signed In
signed-out-title = You are signed out
signed-out-text = Your session has ended here and in the applications that you opened from it.
back-to = Back to { $application }
sign-in-again = Sign in again

### Errors

error-heading =
    { $kind ->
        [unknown-client] This application is not known here
        [redirect-uri-mismatch] The application gave a return address that is not registered
        [invalid-request] The application sent a request that cannot be used
        [interaction-expired] This sign-in took too long
        [stale-form] This page was out of date
        [cross-site] The request came from another site
        [not-found] There is nothing at this address
        [method-not-allowed] This page cannot be used like that
        [too-large] That was too much to send
        [rate-limited] Too many requests
        [busy] We are very busy right now
        [misdirected-host] This is not the right address
       *[internal] Something went wrong on our side
    }
error-text =
    { $kind ->
        [unknown-client] The link that brought you here names an application that your practice has not set up. Open it from your applications instead.
        [redirect-uri-mismatch] To keep your sign-in safe, we do not send you there. Whoever runs the application has to correct its settings.
        [invalid-request] Something is missing from it or does not fit together. Whoever runs the application has to correct that; you have done nothing wrong.
        [interaction-expired] The request of the application has expired, or was already answered in another window. Open the application again to start afresh.
        [stale-form] It was opened a while ago, or you signed in or out in another window since. Nothing was changed. Open it again and repeat what you wanted to do.
        [cross-site] For your safety we only accept what you enter on our own pages. Nothing was changed.
        [not-found] The address may be mistyped, or the page may have moved.
        [method-not-allowed] This can happen after Back or Refresh. Nothing was changed.
        [too-large] Your browser sent more than this page accepts. Nothing was changed.
        [busy] Nothing is wrong with what you entered. Please try again in a moment.
        [misdirected-host] Anteroom answers under another name. Use the link or bookmark that your practice gave you.
       *[internal] It is not your fault, and your account is as it was. Please try again; if it happens again, tell your support the reference.
    }
error-limited-text =
    { $minutes ->
        [one] Too many requests have come from your network. Please wait one minute, then try again.
       *[other] Too many requests have come from your network. Please wait { $minutes } minutes, then try again.
    }
forward =
    { $kind ->
        [sign-in] Go to sign-in
        [dashboard] Go to your applications
        [application] Back to the application
       *[try-again] Try again
    }
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

email-automatic = This message was sent by the sign-in service of { $practice }. Please do not reply to it.
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
email-locked-subject = Your account at { $practice } is locked
email-locked-greeting = Hello,
email-locked-text = Too many wrong passwords were entered for your account at { $practice }, so it was locked on { $when }.
email-locked-next = To get back in, choose a new password. The lock does not end by itself, and nobody can lift it for you.
email-locked-button = Choose a new password
email-locked-unexpected = If this was not you, somebody may have tried to guess your password. They did not get in; a new password makes sure that it stays so.
